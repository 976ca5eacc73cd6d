# bench_all: the whole, beside peers and floors.
add_executable(bench_all bench_all.cpp
  harness/crew.cpp harness/drive.cpp harness/meter.cpp harness/scratch.cpp
  rows/local.cpp rows/row.cpp
  subjects/mbus_participant.cpp subjects/mbusd.cpp subjects/mbusd_process.cpp subjects/relay.cpp)
target_include_directories(bench_all PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(bench_all PRIVATE mbus_flags mbus::mbus mbus_protocol)
