# The RFC 3259 key file, for daemon and tools alike: depends on mbus_protocol only. Whoever includes this
# first makes the target.
if(NOT TARGET mbusd_session_file)
  mbus_library(mbusd_session_file ${PROJECT_SOURCE_DIR}/daemon/config/session_file.cpp)
  target_include_directories(mbusd_session_file PUBLIC ${PROJECT_SOURCE_DIR}/daemon)
  target_link_libraries(mbusd_session_file PUBLIC mbus_protocol)
endif()
