# Tokens and their hashes, for daemon and tools alike: depends on libsodium only. Whoever includes this
# first makes the target.
if(NOT TARGET mbusd_client_token)
  find_package(PkgConfig REQUIRED)
  if(NOT TARGET PkgConfig::libsodium)
    pkg_check_modules(libsodium REQUIRED IMPORTED_TARGET GLOBAL libsodium)
  endif()
  mbus_library(mbusd_client_token ${PROJECT_SOURCE_DIR}/daemon/config/client_token.cpp)
  target_include_directories(mbusd_client_token PUBLIC ${PROJECT_SOURCE_DIR}/daemon)
  target_link_libraries(mbusd_client_token PRIVATE PkgConfig::libsodium)
endif()
