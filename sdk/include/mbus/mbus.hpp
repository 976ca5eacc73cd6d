// Everything of the SDK but <mbus/asio.hpp>, <mbus/testing.hpp> and the C interface <mbus/mbus.h>.
#pragma once

#include <mbus/address.hpp>
#include <mbus/command.hpp>
#include <mbus/connection.hpp>
#include <mbus/entity.hpp>
#include <mbus/events.hpp>
#include <mbus/message.hpp>
#include <mbus/operation.hpp>
#include <mbus/payload.hpp>
#include <mbus/result.hpp>
#include <mbus/task.hpp>
#include <mbus/value.hpp>
