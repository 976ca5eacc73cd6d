// A folder, a main thread to which stores post, and a small table to write into.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "runtime/log.hpp"
#include "store/client_rows.hpp"
#include "store/store.hpp"

namespace mbusd {

struct folder {
    folder();
    ~folder();
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    [[nodiscard]] std::string file() const { return (path / "mbusd.db").string(); }

    std::filesystem::path path;
};

// Runs here what stores post from their worker.
class main_thread {
public:
    [[nodiscard]] store::post_function post();
    // Runs what has been posted until `until` holds; false after 20 s.
    bool run(const std::function<bool()>& until);
    // What has been posted so far.
    void run_posted();

private:
    std::mutex lock_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> posted_;
};

struct store_lab {
    store_lab();

    folder where;
    main_thread thread;
    std::map<std::string, int> lines;  // of the log, by level
    logger log;
};

[[nodiscard]] stored_client client_called(const std::string& name, char hash = 'h');
// The names in the file, by loading it anew.
[[nodiscard]] std::map<std::string, stored_client> clients_in(store_lab& lab);

}  // namespace mbusd
