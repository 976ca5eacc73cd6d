#include "xml/reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <expat.h>

namespace mbusd::xml {
namespace {

// Between namespace and name in what expat reports; no XML text can hold it.
constexpr char separator = '\x01';

std::pair<std::string_view, std::string_view> split(const char* name) {
    const std::string_view whole{name};
    const auto at = whole.find(separator);
    if (at == std::string_view::npos) return {{}, whole};
    return {whole.substr(0, at), whole.substr(at + 1)};
}

}  // namespace

// Expat's callbacks build the tree from a stack of open elements, in one place for both readers.
class document_reader::machine {
public:
    machine(const limits& within, bool stream) : limits_(within), stream_(stream) { begin(); }
    ~machine() { XML_ParserFree(parser_); }
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;

    void begin() {
        if (parser_ == nullptr) {
            parser_ = XML_ParserCreateNS("UTF-8", separator);
        } else {
            XML_ParserReset(parser_, "UTF-8");
        }
        XML_SetUserData(parser_, this);
        XML_SetElementHandler(parser_, on_start, on_end);
        XML_SetCharacterDataHandler(parser_, on_text);
        XML_SetStartDoctypeDeclHandler(parser_, on_doctype);
        XML_SetCommentHandler(parser_, on_comment);
        XML_SetProcessingInstructionHandler(parser_, on_instruction);
        open_.clear();
        depth_ = 0;
        done_.reset();
        start_count();
        octets_ = fed_ = seen_ = 0;
        fault_ = {};
    }

    bool parse(std::string_view text, bool last) {
        if (fault_.kind != fault_kind::none) return false;
        octets_ += text.size();
        fed_ += text.size();
        if (octets_ > limits_.octets) return refuse(fault_kind::too_large, "more than " + std::to_string(limits_.octets) + " octets");
        if (XML_Parse(parser_, text.data(), static_cast<int>(text.size()), last ? 1 : 0) == XML_STATUS_OK) return true;
        if (fault_.kind == fault_kind::none) {
            const auto code = XML_GetErrorCode(parser_);
            const bool entity = code == XML_ERROR_UNDEFINED_ENTITY;
            refuse(entity ? fault_kind::restricted : fault_kind::not_well_formed, XML_ErrorString(code));
        }
        return false;
    }

    bool refuse(fault_kind kind, std::string text) {
        if (fault_.kind != fault_kind::none) return false;
        fault_.kind = kind;
        const auto offset = XML_GetCurrentByteIndex(parser_);
        fault_.offset = offset > 0 ? static_cast<std::size_t>(offset) : 0;
        fault_.text = std::move(text) + " at octet " + std::to_string(fault_.offset);
        return false;
    }

    std::optional<element> take() { return std::exchange(done_, std::nullopt); }

    const limits limits_;
    const bool stream_;
    XML_Parser parser_ = nullptr;
    mbusd::xml::fault fault_;
    const stream_reader::handler* handler_ = nullptr;
    std::size_t depth_ = 0;
    std::size_t octets_ = 0;  // of the document, or since the last child of the stream
    std::size_t fed_ = 0;     // since begin()
    std::size_t seen_ = 0;    // where the last tag at the level of the stream's children ended
    std::vector<element> open_;

private:
    static machine& self(void* data) { return *static_cast<machine*>(data); }

    void mark() {
        seen_ = static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_)) +
                static_cast<std::size_t>(XML_GetCurrentByteCount(parser_));
    }

    void start_count() {
        attributes_ = 0;
        elements_ = 0;
        names_ = 0;
    }

    bool takes_name(const char* name) {
        const auto octets = std::strlen(name);
        names_ += octets;
        if (octets <= limits_.name_octets && names_ <= limits_.names_octets) return true;
        stop(fault_kind::too_large, octets > limits_.name_octets ? "a name that is too long" : "names and namespaces that are too long together");
        return false;
    }

    void stop(fault_kind kind, std::string text) {
        refuse(kind, std::move(text));
        XML_StopParser(parser_, XML_FALSE);
    }

    static void on_start(void* data, const char* name, const char** attributes) { self(data).start(name, attributes); }
    static void on_end(void* data, const char*) { self(data).end(); }
    static void on_text(void* data, const char* text, int size) {
        auto& me = self(data);
        if (!me.open_.empty()) me.open_.back().add_text({text, static_cast<std::size_t>(size)});
    }
    static void on_doctype(void* data, const char*, const char*, const char*, int) {
        self(data).stop(fault_kind::restricted, "a document type declaration");
    }
    static void on_comment(void* data, const char*) {
        if (!self(data).limits_.comments) self(data).stop(fault_kind::restricted, "a comment");
    }
    static void on_instruction(void* data, const char*, const char*) {
        if (!self(data).limits_.comments) self(data).stop(fault_kind::restricted, "a processing instruction");
    }

    void start(const char* name, const char** attributes) {
        if (fault_.kind != fault_kind::none) return;
        if (++depth_ > limits_.depth) return stop(fault_kind::too_large, "elements nested deeper than " + std::to_string(limits_.depth));
        if (++elements_ > limits_.elements) return stop(fault_kind::too_large, "more than " + std::to_string(limits_.elements) + " elements");
        if (!takes_name(name)) return;
        const auto [space, local] = split(name);
        element fresh{space, local};
        for (; *attributes != nullptr; attributes += 2) {
            if (++attributes_ > limits_.attributes) return stop(fault_kind::too_large, "more than " + std::to_string(limits_.attributes) + " attributes");
            if (!takes_name(attributes[0])) return;
            const auto [attribute_space, attribute_name] = split(attributes[0]);
            fresh.set(attribute_space, attribute_name, attributes[1]);
        }
        if (stream_ && depth_ == 1) {
            mark();
            (*handler_)(stream_event::opened, std::move(fresh));
            return;
        }
        open_.push_back(std::move(fresh));
    }

    void end() {
        if (fault_.kind != fault_kind::none) return;
        --depth_;
        if (stream_ && depth_ == 0) {
            mark();
            (*handler_)(stream_event::closed, {});
            return;
        }
        element whole = std::move(open_.back());
        open_.pop_back();
        if (!open_.empty()) {
            open_.back().add(std::move(whole));
        } else if (stream_) {
            mark();
            octets_ = 0;
            start_count();
            (*handler_)(stream_event::child, std::move(whole));
        } else {
            done_ = std::move(whole);
        }
    }

    std::size_t attributes_ = 0;
    std::size_t elements_ = 0;
    std::size_t names_ = 0;
    std::optional<element> done_;
};

document_reader::document_reader(const limits& within) : machine_(std::make_unique<machine>(within, false)) {}
document_reader::~document_reader() = default;

std::optional<element> document_reader::read(std::string_view text) {
    machine_->begin();
    if (!machine_->parse(text, true)) return std::nullopt;
    return machine_->take();
}

const fault& document_reader::fault() const noexcept { return machine_->fault_; }

stream_reader::stream_reader(const limits& within)
    : machine_(std::make_unique<document_reader::machine>(within, true)) {}
stream_reader::~stream_reader() = default;

bool stream_reader::feed(std::string_view text, const handler& handle) {
    machine_->handler_ = &handle;
    const bool fine = machine_->parse(text, false);
    machine_->handler_ = nullptr;
    const auto rest = std::min(machine_->fed_ - std::min(machine_->seen_, machine_->fed_), text.size());
    blank_rest_ = text.substr(text.size() - rest).find_first_not_of(" \t\r\n") == std::string_view::npos;
    return fine;
}

bool stream_reader::between_children() const noexcept { return machine_->open_.empty() && blank_rest_; }
const fault& stream_reader::fault() const noexcept { return machine_->fault_; }
void stream_reader::restart() { machine_->begin(); }

}  // namespace mbusd::xml
