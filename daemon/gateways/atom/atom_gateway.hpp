// Feeds over HTTP (RFC 5023): /atom/ lists them, /atom/NODE is one, /atom/NODE/ITEM an entry.
//
//     atom_gateway gateway{feeds, clients, [&]() -> const settings& { return hub.configuration(); }, random};
//     gateway.use_passwords([&](auto name, auto password) { return accounts.check(name, password); });   // HTTP Basic
//     gateway.add_paths(paths);
//
// Whoever has a token is the account NAME@DOMAIN of its client; what may be read and written is decided
// by publish-subscribe, as for XMPP. One thread. Everything passed in outlives the object.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "atom/entry.hpp"
#include "config/settings.hpp"
#include "feeds/feed_home.hpp"
#include "gateways/atom/feed_path.hpp"
#include "http/path_table.hpp"
#include "router/client_directory.hpp"

namespace mbusd {

struct atom_counters {
    std::uint64_t read = 0;
    std::uint64_t unchanged = 0;  // 304
    std::uint64_t written = 0;
    std::uint64_t refused = 0;
};

class atom_gateway {
public:
    using settings_function = std::function<const settings&()>;
    // So many random octets.
    using random_function = std::function<std::string(std::size_t)>;

    atom_gateway(feed_home& feeds, client_directory& clients, settings_function configuration, random_function random)
        : feeds_(feeds), clients_(clients), configuration_(std::move(configuration)), random_(std::move(random)) {}
    atom_gateway(const atom_gateway&) = delete;
    atom_gateway& operator=(const atom_gateway&) = delete;

    // Whose name and password these are; null: nobody's. Takes as long for unknown names.
    using password_function = std::function<std::shared_ptr<const peer_identity>(std::string_view name, std::string_view password)>;
    void use_passwords(password_function check) { passwords_ = std::move(check); }
    void add_paths(path_table& paths);
    [[nodiscard]] const atom_counters& counters() const noexcept { return counters_; }

private:
    using call_pointer = std::shared_ptr<exchange>;
    using item_pointer = std::shared_ptr<const pubsub::item>;

    struct caller {
        pubsub::requester who;
        bool anonymous = false;
    };
    // One request on its way to an answer.
    struct job {
        call_pointer call;
        feed_path where;
        caller from;
    };

    void handle(const call_pointer& call);
    std::optional<caller> identify(const call_pointer& call);
    std::optional<caller> with_token(const call_pointer& call, std::string_view token);
    std::optional<caller> with_password(const call_pointer& call, std::string_view credentials);
    std::optional<caller> without_credentials(const call_pointer& call);
    void challenge(const call_pointer& call, std::string_view text);
    void refuse(const job& of, int status, std::string_view code, std::string_view text);
    void refuse(const job& of, const pubsub::fault& why);

    // atom_reading.cpp
    void service(const job& of);
    void feed(const job& of);
    void member(const job& of);
    bool answer_if_unchanged(const job& of, const std::string& tag);
    [[nodiscard]] atom::showing showing_of(const http_request& request, const feed_path& where, const pubsub::item& what) const;
    http_response entry_answer(const job& of, const feed_path& where, const pubsub::item& what, int status);
    item_pointer find_entry(const job& of);

    // atom_writing.cpp
    void create(const job& of);
    void replace(const job& of);
    void remove(const job& of);
    std::optional<xml::element> read_entry(const job& of);
    bool precondition_holds(const job& of, const pubsub::item* current);
    std::string item_id_for(const job& of);
    [[nodiscard]] atom::additions additions_for(const job& of) const;
    void answer_stored(const job& of, http_response answer);

    feed_home& feeds_;
    client_directory& clients_;
    settings_function configuration_;
    random_function random_;
    password_function passwords_;
    atom_counters counters_;
};

}  // namespace mbusd
