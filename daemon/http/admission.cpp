#include "http/admission.hpp"

#include <algorithm>
#include <utility>

#include "http/field_text.hpp"

namespace mbusd {
namespace {

// How long a browser may remember the answer to a preflight.
constexpr std::string_view preflight_seconds = "600";
constexpr std::string_view usual_headers = "Authorization, Content-Type, Prefer, Last-Event-ID";
constexpr std::string_view exposed_headers = "Location, Preference-Applied, Retry-After, WWW-Authenticate";

// One request on its way through the checks; the first that fails ends them.
class gate {
public:
    gate(const path_table& paths, const site_rules& site, const connection_origin& from, request_reader::head_view head)
        : paths_(paths), site_(site), from_(from), target_(std::move(head.target)) {
        out_.version = head.version;
        out_.keep_alive = head.keep_alive;
        out_.has_body = head.has_body;
        out_.expects_continue = head.expects_continue && head.version == 11;
        out_.request.method = std::move(head.method);
        out_.request.headers = std::move(head.headers);
    }

    admission run() {
        if (well_formed() && host_fits() && path_exists() && origin_fits() && method_fits()) out_.endpoint = found_;
        if (out_.request.method == "HEAD") {
            out_.head_only = true;
            out_.request.method = "GET";
        }
        return std::move(out_);
    }

private:
    bool refuse(int status, std::string_view code, std::string_view text) {
        out_.answer = problem_response(out_.request.prefers_json(), status, code, text);
        return false;
    }

    std::size_t count(std::string_view name) const {
        return static_cast<std::size_t>(
            std::ranges::count_if(out_.request.headers, [&](const auto& each) { return http::same_word(each.name, name); }));
    }

    bool well_formed() {
        // A body whose end two readers see differently is how requests are smuggled (RFC 9112, section 11.2).
        if (count("Transfer-Encoding") > 0) {
            if (out_.version == 10 || count("Content-Length") > 0) {
                return refuse(400, "bad-frame", "Transfer-Encoding can't stand in this request");
            }
            if (!http::same_word(out_.request.header("Transfer-Encoding"), "chunked")) {
                return refuse(501, "bad-frame", "the only Transfer-Encoding is chunked");
            }
        }
        if (count("Host") > 1 || (count("Host") == 0 && out_.version == 11)) {
            return refuse(400, "bad-frame", "a request has exactly one Host header");
        }
        if (count("Host") == 0) out_.request.headers.push_back({"Host", "localhost"});
        if (target_ == "*" && out_.request.method == "OPTIONS") return allow_all();
        if (!target_.starts_with('/') && !absolute_form()) {
            return refuse(400, "bad-frame", "the request target must be a path that begins with '/'");
        }
        return true;
    }

    // "http://host/path" (RFC 9112, section 3.2.2): its host goes before the header.
    bool absolute_form() {
        const auto mark = target_.find("://");
        if (mark == std::string::npos) return false;
        const auto scheme = std::string_view{target_}.substr(0, mark);
        if (!http::same_word(scheme, "http") && !http::same_word(scheme, "https")) return false;
        const auto slash = std::min(target_.find_first_of("/?", mark + 3), target_.size());
        for (auto& each : out_.request.headers) {
            if (http::same_word(each.name, "Host")) each.value = target_.substr(mark + 3, slash - mark - 3);
        }
        target_.erase(0, slash);
        if (!target_.starts_with('/')) target_.insert(0, "/");
        return true;
    }

    bool allow_all() {
        out_.answer = {.status = 204, .type = {}};
        out_.answer.headers.push_back({"Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS"});
        return false;
    }

    bool host_fits() {
        const auto query_at = std::min(target_.find('?'), target_.size());
        seen_ = site_.look(from_, out_.request, std::string_view{target_}.substr(0, query_at));
        out_.client = seen_.address;
        out_.request.client = seen_.client;
        out_.request.base_url = seen_.base_url;
        out_.request.secure = seen_.secure;
        if (!site_.host_allowed(seen_)) {
            out_.refused = true;
            return refuse(403, "forbidden", "this daemon does not answer to the host name '" + seen_.host +
                                                "'; add it to gateway.hosts in mbusd.toml");
        }
        auto path = http::percent_decoded(seen_.path, false);
        auto query = http::query_pairs(query_at < target_.size() ? std::string_view{target_}.substr(query_at + 1)
                                                                 : std::string_view{});
        if (!path || !query) return refuse(400, "bad-frame", "the URL holds a '%' that is not followed by two hexadecimal digits");
        out_.request.path = std::move(*path);
        out_.request.encoded_path = seen_.path;
        out_.request.query = std::move(*query);
        return true;
    }

    bool path_exists() {
        found_ = paths_.find(out_.request.path);
        return found_ != nullptr || refuse(404, "not-found", "there is nothing at this path");
    }

    bool origin_fits() {
        const auto origin = out_.request.header("Origin");
        if (origin.empty()) return true;
        const auto kind = site_.judge_origin(seen_, origin);
        if (kind == site_rules::origin_kind::own) return true;
        const bool any = found_->rules.pages == foreign_pages::allowed;
        if (kind == site_rules::origin_kind::foreign && !any) {
            out_.refused = true;
            return refuse(403, "forbidden", "pages of '" + origin +
                                                "' may not call this daemon; add it to gateway.origins in mbusd.toml");
        }
        out_.extra.push_back({"Access-Control-Allow-Origin", any ? "*" : origin});
        if (!any) out_.extra.push_back({"Vary", "Origin"});
        out_.extra.push_back({"Access-Control-Expose-Headers", std::string{exposed_headers}});
        return true;
    }

    std::string allowed_methods() const {
        std::string out;
        for (const auto& each : found_->rules.methods) out += (each == "GET" ? "GET, HEAD" : each) + ", ";
        return out + "OPTIONS";
    }

    bool method_fits() {
        const auto& method = out_.request.method;
        if (method == "OPTIONS") return answer_options();
        const auto& methods = found_->rules.methods;
        if (std::ranges::find(methods, method == "HEAD" ? "GET" : method) != methods.end()) return true;
        refuse(405, "not-found", "this path takes " + allowed_methods() + ", not " + method);
        out_.answer.headers.push_back({"Allow", allowed_methods()});
        return false;
    }

    bool answer_options() {
        out_.answer = {.status = 204, .type = {}};
        out_.answer.headers.push_back({"Allow", allowed_methods()});
        // A preflight (Fetch, section 4.8); without the headers of origin_fits() it allows nothing.
        if (!out_.request.has_header("Access-Control-Request-Method") || out_.extra.empty()) return false;
        const auto asked = out_.request.header("Access-Control-Request-Headers");
        out_.answer.headers.push_back({"Access-Control-Allow-Methods", allowed_methods()});
        out_.answer.headers.push_back({"Access-Control-Allow-Headers", asked.empty() ? std::string{usual_headers} : asked});
        out_.answer.headers.push_back({"Access-Control-Max-Age", std::string{preflight_seconds}});
        if (out_.request.has_header("Access-Control-Request-Private-Network")) {
            out_.answer.headers.push_back({"Access-Control-Allow-Private-Network", "true"});
        }
        return false;
    }

    const path_table& paths_;
    const site_rules& site_;
    const connection_origin& from_;
    std::string target_;
    admission out_;
    seen_request seen_;
    const path_table::endpoint* found_ = nullptr;
};

}  // namespace

admission admit(const path_table& paths, const site_rules& site, const connection_origin& from,
                request_reader::head_view head) {
    return gate{paths, site, from, std::move(head)}.run();
}

}  // namespace mbusd
