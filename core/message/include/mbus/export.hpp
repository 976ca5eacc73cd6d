// MBUS_API marks what libmbus exports; everything else stays inside the library.
#pragma once

#define MBUS_API __attribute__((visibility("default")))
