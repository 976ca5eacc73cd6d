#include "test_certificate.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace {

constexpr long day = 24L * 3600;

void add_names(X509* certificate) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    auto* names = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
}

template <class Write>
void write_file(const std::string& path, Write write) {
    // As a renewal does it: beside, then in its place.
    const auto fresh = path + ".new";
    std::FILE* file = std::fopen(fresh.c_str(), "we");
    if (file == nullptr) throw std::runtime_error("can't write " + fresh);
    write(file);
    std::fclose(file);
    ::chmod(fresh.c_str(), 0600);
    std::filesystem::rename(fresh, path);
}

}  // namespace

test_certificate::test_certificate(int days) {
    std::string pattern = (std::filesystem::temp_directory_path() / "mbusd-http.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder = pattern;
    renew(days);
}

test_certificate::~test_certificate() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
}

void test_certificate::renew(int days) {
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> pair{EVP_EC_gen("P-256"), &EVP_PKEY_free};
    const std::unique_ptr<X509, void (*)(X509*)> made{X509_new(), &X509_free};
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
    X509_set_version(made.get(), 2);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -2 * day);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), days * day);
    X509_set_pubkey(made.get(), pair.get());
    auto* name = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(made.get(), name);
    add_names(made.get());
    X509_sign(made.get(), pair.get(), EVP_sha256());
    write_file(key(), [&](std::FILE* to) { PEM_write_PrivateKey(to, pair.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    write_file(certificate(), [&](std::FILE* to) { PEM_write_X509(to, made.get()); });
}
