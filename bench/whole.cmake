# bench_all: the whole, beside peers and floors. Each peer comes in when its library is there
# (cmake/bench-packages.txt, which ./dev bench installs); without it its rows are skipped by name.
add_executable(bench_all bench_all.cpp
  harness/crew.cpp harness/drive.cpp harness/meter.cpp harness/scratch.cpp
  peers/catalog.cpp
  rows/local.cpp rows/row.cpp
  subjects/mbus_participant.cpp subjects/mbusd.cpp subjects/mbusd_process.cpp subjects/relay.cpp)
target_include_directories(bench_all PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(bench_all PRIVATE mbus_flags mbus::mbus mbus_protocol)

# mbus_bench_peer(NAME HEADER LIBRARY SOURCES...)
function(mbus_bench_peer name header library)
  find_path(MBUS_BENCH_${name}_INCLUDE ${header})
  find_library(MBUS_BENCH_${name}_LIBRARY ${library})
  if(MBUS_BENCH_${name}_INCLUDE AND MBUS_BENCH_${name}_LIBRARY)
    target_sources(bench_all PRIVATE ${ARGN})
    target_compile_definitions(bench_all PRIVATE MBUS_BENCH_${name}=1)
    target_link_libraries(bench_all PRIVATE ${MBUS_BENCH_${name}_LIBRARY})
  else()
    target_compile_definitions(bench_all PRIVATE MBUS_BENCH_${name}=0)
    message(STATUS "bench_all without ${name}: ${header} or lib${library} not found")
  endif()
endfunction()

mbus_bench_peer(NATS nats/nats.h nats peers/nats.cpp)
mbus_bench_peer(ZEROMQ zmq.h zmq peers/zeromq.cpp)
mbus_bench_peer(DBUS systemd/sd-bus.h systemd peers/dbus.cpp peers/dbus_server.cpp)
mbus_bench_peer(MOSQUITTO mosquitto.h mosquitto peers/mosquitto.cpp)
