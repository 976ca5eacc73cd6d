// A queue whose front is taken in constant time, also when it is long; the rest is seen by index.
export class Fifo<Item> {
    private items_: Item[] = [];
    private head_ = 0;

    length_(): number {
        return this.items_.length - this.head_;
    }
    at_(index: number): Item {
        return this.items_[this.head_ + index];
    }
    push_(item: Item): void {
        this.items_.push(item);
    }
    // Not of an empty one.
    shift_(): Item {
        const item = this.items_[this.head_++];
        if (this.head_ > 1024 && this.head_ * 2 > this.items_.length) this.items_ = this.drain_();
        return item;
    }
    // All that is left; the queue is empty afterwards.
    drain_(): Item[] {
        const rest = this.items_.slice(this.head_);
        this.items_ = [];
        this.head_ = 0;
        return rest;
    }
}
