# SCRAM, for daemon and tools alike: depends on OpenSSL's libcrypto only. Whoever includes this first
# makes the target.
if(NOT TARGET mbusd_scram)
  find_package(OpenSSL REQUIRED COMPONENTS Crypto)
  mbus_library(mbusd_scram ${PROJECT_SOURCE_DIR}/daemon/sasl/scram.cpp)
  target_include_directories(mbusd_scram PUBLIC ${PROJECT_SOURCE_DIR}/daemon)
  target_link_libraries(mbusd_scram PUBLIC mbus_message PRIVATE OpenSSL::Crypto)
endif()
