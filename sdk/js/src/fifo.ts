// A queue whose front is taken in constant time, also when it is long; the rest is seen by index.
export class Fifo<Item> {
    private items_: Item[] = [];
    private head_ = 0;

    get length(): number {
        return this.items_.length - this.head_;
    }
    at(index: number): Item | undefined {
        return this.items_[this.head_ + index];
    }
    push(item: Item): void {
        this.items_.push(item);
    }
    shift(): Item | undefined {
        const item = this.items_[this.head_++];
        if (this.head_ >= 1024 && this.head_ * 2 > this.items_.length) {
            this.items_ = this.items_.slice(this.head_);
            this.head_ = 0;
        }
        return item;
    }
    // All that is left; the queue is empty afterwards.
    drain(): Item[] {
        const rest = this.items_.slice(this.head_);
        this.items_ = [];
        this.head_ = 0;
        return rest;
    }
}
