// Self-signed certificates for tests, made by OpenSSL's API.
#pragma once

#include <filesystem>
#include <string>

struct test_certificate {
    // Valid for localhost and 127.0.0.1, from two days ago to `days` from now.
    explicit test_certificate(int days = 30);
    ~test_certificate();
    test_certificate(const test_certificate&) = delete;
    test_certificate& operator=(const test_certificate&) = delete;

    // Another pair in the same files, as a renewal does.
    void renew(int days = 30);

    [[nodiscard]] std::string certificate() const { return (folder / "cert.pem").string(); }
    [[nodiscard]] std::string key() const { return (folder / "key.pem").string(); }

    std::filesystem::path folder;
};
