# bench_all: the whole, beside peers and floors. Each peer comes in when its library is there
# (cmake/bench-packages.txt, which ./dev bench installs); without it its rows are skipped by name.
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
add_executable(bench_all bench_all.cpp raw_subscriber.cpp
  harness/crew.cpp harness/drive.cpp harness/meter.cpp harness/network.cpp harness/publishing.cpp
  harness/round_trip.cpp harness/run_tools.cpp harness/scratch.cpp
  peers/catalog.cpp
  report/format.cpp report/run_report.cpp report/targets.cpp
  rows/discovery.cpp rows/gateway.cpp rows/growth.cpp rows/idle.cpp rows/local.cpp rows/network.cpp
  rows/parts.cpp rows/row.cpp rows/websocket.cpp rows/xmpp.cpp
  subjects/allocation_meter.cpp subjects/crowd.cpp subjects/gateway.cpp subjects/mbus_participant.cpp subjects/mbusd.cpp subjects/mbusd_net.cpp
  subjects/mbusd_process.cpp subjects/relay.cpp subjects/udp_floor.cpp subjects/udp_group.cpp subjects/websocket.cpp
  xmpp/publishing.cpp xmpp/scram_login.cpp xmpp/servers.cpp xmpp/xmpp_reader.cpp)
target_include_directories(bench_all PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
# Counts the allocations of the daemon that is measured.
add_library(bench_counted_allocations MODULE subjects/counted_allocations.cpp)
target_link_libraries(bench_counted_allocations PRIVATE mbus_flags)
add_dependencies(bench_all bench_counted_allocations)
target_compile_definitions(bench_all PRIVATE MBUS_BENCH_SOURCES="${CMAKE_CURRENT_SOURCE_DIR}"
  MBUS_BENCH_COUNTED_ALLOCATIONS="$<TARGET_FILE:bench_counted_allocations>")
target_link_libraries(bench_all PRIVATE mbus_flags mbus::mbus mbus::websocket mbus_protocol mbus_mbws
  mbus_websocket_handshake mbusd_scram OpenSSL::Crypto Boost::json)

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
mbus_bench_peer(LCM lcm/lcm.h lcm peers/lcm.cpp)

# Cyclone DDS needs its compiler for the type of the topic.
find_program(MBUS_BENCH_IDLC idlc)
if(MBUS_BENCH_IDLC)
  mbus_bench_peer(CYCLONE dds/dds.h ddsc peers/cyclone.cpp)
else()
  message(STATUS "bench_all without CYCLONE: idlc not found")
endif()
if(MBUS_BENCH_IDLC AND MBUS_BENCH_CYCLONE_LIBRARY)
  add_custom_command(OUTPUT bench_message.c bench_message.h
    COMMAND ${MBUS_BENCH_IDLC} -l c ${CMAKE_CURRENT_SOURCE_DIR}/peers/bench_message.idl
    DEPENDS peers/bench_message.idl VERBATIM)
  add_library(bench_dds_message OBJECT bench_message.c)  # not our code: without our warnings
  target_include_directories(bench_dds_message INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(bench_all PRIVATE bench_dds_message)
endif()

# The parts: with google-benchmark (bench_parts), and for callgrind.
target_sources(bench_parts PRIVATE parts/parts_bench.cpp parts/works.cpp)
add_executable(bench_instructions parts/instructions.cpp parts/works.cpp)
target_link_libraries(bench_instructions PRIVATE mbus_flags)
foreach(program bench_parts bench_instructions)
  target_include_directories(${program} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/daemon)
  target_link_libraries(${program} PRIVATE mbusd_router mbus_protocol mbus_mbws mbus_message)
endforeach()
