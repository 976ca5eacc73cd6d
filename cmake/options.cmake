# What can be switched, and the flags that every target of the project is built with.

# Inside another project (add_subdirectory) only the SDK is wanted.
option(MBUS_BUILD_DAEMON "Build mbusd" ${PROJECT_IS_TOP_LEVEL})
option(MBUS_BUILD_TOOLS "Build mbus-send, mbus-listen and mbus" ${PROJECT_IS_TOP_LEVEL})
option(MBUS_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(MBUS_BUILD_TESTING "Build mbus::testing, the in-process bus for unit tests of programs" ${PROJECT_IS_TOP_LEVEL})
option(MBUS_BUILD_TESTS "Build the tests" OFF)
option(MBUS_BUILD_BENCH "Build the benchmarks" OFF)
option(MBUS_FUZZ "Build the fuzz targets with libFuzzer (needs clang)" OFF)
option(MBUS_COVERAGE "Build with coverage counters (gcov)" OFF)
option(MBUS_WITH_LIBGCRYPT "Offer DES and IDEA (RFC 3259, section 11.2) through libgcrypt" ON)
option(MBUS_WITH_WEBSOCKET "Build libmbus-websocket, ws:// and wss:// for the SDK (needs OpenSSL)" ${PROJECT_IS_TOP_LEVEL})
option(MBUS_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(MBUS_WARNINGS_AS_ERRORS "Treat warnings as errors" OFF)
option(BUILD_SHARED_LIBS "Build libmbus as a shared library" ON)

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(MBUS_CCACHE ccache)
if(PROJECT_IS_TOP_LEVEL AND MBUS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MBUS_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${MBUS_CCACHE})
endif()

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(mbus_flags INTERFACE)
target_compile_features(mbus_flags INTERFACE cxx_std_20)
target_compile_options(mbus_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align
  -Wconversion -Wsign-conversion -Wformat=2 -Wimplicit-fallthrough
  $<$<BOOL:${MBUS_WARNINGS_AS_ERRORS}>:-Werror>
  # g++ 12 at -O3 sees overlapping copies inside std::string where there are none (GCC bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  -fvisibility=hidden)
if(MBUS_COVERAGE)
  target_compile_options(mbus_flags INTERFACE --coverage)
  target_link_options(mbus_flags INTERFACE --coverage)
endif()
if(MBUS_FUZZ)
  # Coverage feedback for libFuzzer in every object; each fuzz target links -fsanitize=fuzzer itself.
  target_compile_options(mbus_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
# Pure C sources take the same set, less what C++ alone knows.
set(MBUS_C_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
if(MBUS_SANITIZE)
  target_compile_options(mbus_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                                              -fno-omit-frame-pointer)
  target_link_options(mbus_flags INTERFACE -fsanitize=address,undefined)
else()
  target_compile_definitions(mbus_flags INTERFACE $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
  target_compile_options(mbus_flags INTERFACE -fstack-protector-strong)
endif()

# mbus_library(NAME sources...): a static library of the project, position independent, so that
# libmbus can hold it too.
function(mbus_library name)
  add_library(${name} STATIC ${ARGN})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:mbus_flags>)
endfunction()

# mbus_test(NAME SOURCES ... LIBRARIES ... [LABELS ...] [TIMEOUT seconds]): one doctest program.
function(mbus_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/unit/main.cpp)
  target_link_libraries(${name} PRIVATE mbus_flags ${ARG_LIBRARIES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE MBUS_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()
