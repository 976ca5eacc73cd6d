/* The C interface of libmbus (C99). A thin layer over the C++ API with the same behaviour.
 *
 *     mbus_connection *bus;
 *     mbus_entity *me;
 *     if (mbus_connect(NULL, &bus) != MBUS_OK) { puts(mbus_last_error()); return 1; }
 *     if (mbus_attach(bus, "(app:hello)", NULL, &me) != MBUS_OK) ...
 *     mbus_send(me, "()", "hello.world()");
 *     mbus_detach(me);
 *     mbus_disconnect(bus);
 *
 * Results: every function that can fail returns an mbus_status: MBUS_OK (0) or what went wrong;
 * mbus_last_error() then says in English what to do. Output parameters are set only on MBUS_OK.
 *
 * Ownership: what a function gives through an output parameter belongs to the caller, who ends it
 * with the function named there. Strings that a function returns belong to their object and live
 * until it is freed or changed. Strings passed in are copied before the call returns. Text is UTF-8
 * and ends with a NUL; addresses and commands are in the text of RFC 3259.
 *
 * Threads: a connection and all that was made from it belong to one thread at a time; there is no
 * locking inside. Different connections are independent. mbus_last_error() is per thread.
 *
 * Time limits are in milliseconds; a negative one means none beyond the operation's own.
 * Callbacks run inside mbus_process(), mbus_run() and every call with a time limit; they may call
 * all functions but mbus_disconnect().
 */
#ifndef MBUS_MBUS_H
#define MBUS_MBUS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define MBUS_C_API __attribute__((visibility("default")))
#else
#define MBUS_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What went wrong. Values never change; later versions may add some. */
typedef enum mbus_status {
    MBUS_OK = 0,
    MBUS_BAD_FRAME = 1,
    MBUS_BAD_VERSION = 2,
    MBUS_BAD_ADDRESS = 3,
    MBUS_BAD_COMMAND = 4,
    MBUS_TOO_LARGE = 5,
    MBUS_WINDOW = 6,
    MBUS_NO_ENTITY = 7,
    MBUS_UNAUTHORIZED = 8,
    MBUS_FORBIDDEN = 9,
    MBUS_NO_SESSION = 10,
    MBUS_CONFLICT = 11,
    MBUS_TAKEN_OVER = 12,
    MBUS_NO_MATCH = 13,          /* nobody has this address */
    MBUS_NOT_UNIQUE = 14,        /* several have it */
    MBUS_NOT_ACKNOWLEDGED = 15,  /* the receiver did not answer */
    MBUS_LEFT = 16,              /* the receiver left before it acknowledged */
    MBUS_EXPIRED = 17,
    MBUS_OVERFLOW = 18,          /* a queue is full */
    MBUS_RATE = 19,
    MBUS_LIMIT = 20,
    MBUS_NOT_FOUND = 21,
    MBUS_SHUTTING_DOWN = 22,
    MBUS_INTERNAL = 23,
    MBUS_SYNTAX = 24,
    MBUS_BAD_VALUE = 25,
    MBUS_BAD_ARGUMENT = 26,
    MBUS_BAD_CONFIG = 27,
    MBUS_NO_DAEMON = 28,         /* nothing answers on the socket */
    MBUS_DISCONNECTED = 29,      /* the connection broke before the outcome was known */
    MBUS_TIMED_OUT = 30,
    MBUS_CANCELLED = 31,
    MBUS_REMOTE_FAILED = 32      /* the callee of a request said so */
} mbus_status;

typedef struct mbus_connection mbus_connection;
typedef struct mbus_entity mbus_entity;
typedef struct mbus_message mbus_message;
typedef struct mbus_reply mbus_reply;
typedef struct mbus_peers mbus_peers;

/* --- errors ------------------------------------------------------------------------------- */

/* The sentence for the last failure in this thread; "" before the first. Valid until the next call
 * of this library in this thread. Never NULL. */
MBUS_C_API const char *mbus_last_error(void);

/* The status as a symbol, "not-unique" for instance. Static; never NULL. Any thread. */
MBUS_C_API const char *mbus_status_name(mbus_status status);

/* The version of the library, "0.1.0". Static. Any thread. */
MBUS_C_API const char *mbus_version(void);

/* --- connection --------------------------------------------------------------------------- */

/* Set to all zeros (or use MBUS_CONNECT_OPTIONS_INIT), then change what you need. */
typedef struct mbus_connect_options {
    const char *socket;             /* a path, or after mbus_enable_websocket() a ws:// or wss:// URL;
                                       NULL: $MBUS_SOCKET, else $XDG_RUNTIME_DIR/mbusd/mbusd.sock if it
                                       exists, else /run/mbusd/mbusd.sock */
    const char *name;               /* NULL: the name of the program */
    uint32_t window;                /* 0: nothing is resumable; over WebSocket: 256 */
    uint32_t expiry_s;              /* how long the session outlives its connection; over WebSocket 0
                                       means 60 */
    uint32_t connect_limit_ms;      /* 0: 5000 */
    uint32_t operation_limit_ms;    /* 0: 10000 */
    int no_reconnect;               /* not 0: stay closed when the connection breaks */
    const char *token;              /* URLs: what `mbus client add` printed; NULL: none */
    const char *token_file;         /* URLs: the file that holds it */
    const char *ca_file;            /* wss: certificates to trust, PEM; NULL: those of the system */
} mbus_connect_options;

#define MBUS_CONNECT_OPTIONS_INIT {NULL, NULL, 0, 0, 0, 0, 0, NULL, NULL, NULL}

/* Makes ws:// and wss:// URLs known to mbus_connect(). Of libmbus-websocket (pkg-config
 * mbus-websocket). Any thread. */
MBUS_C_API void mbus_enable_websocket(void);

/* Connects and waits until the session is open. `options` may be NULL. Free with mbus_disconnect().
 * MBUS_NO_DAEMON, MBUS_FORBIDDEN, MBUS_UNAUTHORIZED, MBUS_TIMED_OUT, MBUS_BAD_ARGUMENT. */
MBUS_C_API mbus_status mbus_connect(const mbus_connect_options *options, mbus_connection **connection);

/* Writes out what waits (one second at most), ends the session and frees the connection. Its
 * entities stay valid handles (free them with mbus_detach()), but everything fails there with
 * MBUS_DISCONNECTED. NULL does nothing. */
MBUS_C_API void mbus_disconnect(mbus_connection *connection);

/* 1 when the session is open, 0 when it is not (it reconnects by itself). */
MBUS_C_API int mbus_is_connected(const mbus_connection *connection);

/* How many messages were dropped because this program read too slowly. */
MBUS_C_API uint64_t mbus_missed(const mbus_connection *connection);

/* --- entities ----------------------------------------------------------------------------- */

/* Takes part in the bus as `address`, "(app:player media:audio)"; the daemon adds the id element.
 * `commands`: only messages with a command that fits these globs ("player.*,mixer.mute"); NULL: all.
 * Free with mbus_detach(). MBUS_BAD_ADDRESS, MBUS_CONFLICT, MBUS_FORBIDDEN, MBUS_LIMIT. */
MBUS_C_API mbus_status mbus_attach(mbus_connection *connection, const char *address, const char *commands,
                                   mbus_entity **entity);

/* Leaves the bus and frees the handle. NULL does nothing. */
MBUS_C_API void mbus_detach(mbus_entity *entity);

/* The full address. Belongs to the entity; valid until the next call with it. */
MBUS_C_API const char *mbus_entity_address(mbus_entity *entity);

/* --- sending ------------------------------------------------------------------------------ */

/* Sends commands, "player.play(\"song.mp3\" 3)", one per line, to everyone who fits `to`. Does not
 * wait. MBUS_BAD_ADDRESS, MBUS_BAD_COMMAND, MBUS_TOO_LARGE, MBUS_DISCONNECTED, MBUS_OVERFLOW (the
 * daemon does not read: mbus_flush()). */
MBUS_C_API mbus_status mbus_send(mbus_entity *entity, const char *to, const char *commands);

typedef struct mbus_delivery {
    char by[1024];     /* full address of the receiver, cut if it is longer */
    unsigned tried;    /* transmissions that were needed */
    unsigned took_ms;
} mbus_delivery;

/* Sends to exactly one entity and waits for its acknowledgement. `delivery` may be NULL. Besides the
 * errors of mbus_send(): MBUS_NO_MATCH, MBUS_NOT_UNIQUE, MBUS_NOT_ACKNOWLEDGED, MBUS_LEFT,
 * MBUS_OVERFLOW, MBUS_FORBIDDEN, MBUS_TIMED_OUT. */
MBUS_C_API mbus_status mbus_send_reliable(mbus_entity *entity, const char *to, const char *commands,
                                          int limit_ms, mbus_delivery *delivery);

/* Writes `text` as a string of a command, with quotes and escapes, and a NUL into `out`. Returns the
 * octets needed without the NUL, as snprintf does. Control characters that Mbus has no form for
 * (NUL can't occur) make it return 0. Any thread. */
MBUS_C_API size_t mbus_quote(const char *text, char *out, size_t size);

/* --- receiving ---------------------------------------------------------------------------- */

/* Waits for the next message. Free with mbus_message_free(). MBUS_TIMED_OUT, MBUS_DISCONNECTED. */
MBUS_C_API mbus_status mbus_receive(mbus_entity *entity, int limit_ms, mbus_message **message);

/* Calls `handler` for each message, with `context`; the message is valid during the call. NULL:
 * stop. */
typedef void (*mbus_message_handler)(void *context, const mbus_message *message);
MBUS_C_API void mbus_on_message(mbus_entity *entity, mbus_message_handler handler, void *context);

/* These belong to the message and live as long as it. */
MBUS_C_API const char *mbus_message_from(const mbus_message *message);
MBUS_C_API const char *mbus_message_to(const mbus_message *message);
/* The payload: commands in text, or the octets of an opaque body, with a NUL behind them. */
MBUS_C_API const char *mbus_message_body(const mbus_message *message, size_t *octets);
/* The media type of an opaque body; "" for commands. */
MBUS_C_API const char *mbus_message_type(const mbus_message *message);
/* How many commands there are; the name of one, and its arguments with their parentheses,
 * "(\"song.mp3\" 3)". NULL for an index out of range. */
MBUS_C_API size_t mbus_message_commands(const mbus_message *message);
MBUS_C_API const char *mbus_message_command_name(const mbus_message *message, size_t index);
MBUS_C_API const char *mbus_message_command_arguments(const mbus_message *message, size_t index);
/* 1 when it was sent reliably. */
MBUS_C_API int mbus_message_reliable(const mbus_message *message);
/* NULL does nothing. */
MBUS_C_API void mbus_message_free(mbus_message *message);

/* --- request and reply -------------------------------------------------------------------- */

/* Calls one command, "mixer.get(\"left\")", at the one entity that fits `to` and waits for the answer.
 * Free with mbus_reply_free(). Besides the errors of mbus_send_reliable(): MBUS_REMOTE_FAILED. */
MBUS_C_API mbus_status mbus_request(mbus_entity *entity, const char *to, const char *command, int limit_ms,
                                    mbus_reply **reply);
/* The results as a list, "(80 on)"; the callee's text; its address. They belong to the reply. */
MBUS_C_API const char *mbus_reply_results(const mbus_reply *reply);
MBUS_C_API const char *mbus_reply_text(const mbus_reply *reply);
MBUS_C_API const char *mbus_reply_from(const mbus_reply *reply);
/* NULL does nothing. */
MBUS_C_API void mbus_reply_free(mbus_reply *reply);

/* Answers calls whose name fits the glob. The handler gets the name, the arguments with their
 * parentheses and the caller. It returns MBUS_OK after it has written the results as a list with
 * parentheses and a NUL into `results` (at most `size` octets; left alone: no results), or an error,
 * with an English text in `results`, that the caller gets. MBUS_BAD_ARGUMENT: a name that starts
 * with "mbus.". */
typedef mbus_status (*mbus_request_handler)(void *context, const char *name, const char *arguments,
                                            const char *from, char *results, size_t size);
MBUS_C_API mbus_status mbus_on_request(mbus_entity *entity, const char *names, mbus_request_handler handler,
                                       void *context);

/* --- who is there ------------------------------------------------------------------------- */

/* The entities that fit `pattern`, on all hosts of the bus; NULL or "()": all. Free with
 * mbus_peers_free(). */
MBUS_C_API mbus_status mbus_find_peers(mbus_connection *connection, const char *pattern, mbus_peers **peers);
MBUS_C_API size_t mbus_peers_count(const mbus_peers *peers);
/* Belongs to the list; NULL for an index out of range. */
MBUS_C_API const char *mbus_peers_address(const mbus_peers *peers, size_t index);
/* NULL does nothing. */
MBUS_C_API void mbus_peers_free(mbus_peers *peers);

/* --- running it --------------------------------------------------------------------------- */

/* Handles what comes for so long; negative: until mbus_stop() or the connection is closed for good. */
MBUS_C_API mbus_status mbus_run(mbus_connection *connection, int limit_ms);
MBUS_C_API void mbus_stop(mbus_connection *connection);

/* For a loop of your own: poll this descriptor for reading and call mbus_process() when it is
 * readable. It stays the same over reconnects. Belongs to the connection: do not close it. */
MBUS_C_API int mbus_fd(mbus_connection *connection);
/* Reads, calls handlers, writes; never blocks. Fails when the connection is closed for good. */
MBUS_C_API mbus_status mbus_process(mbus_connection *connection);
/* When mbus_process() has to run next even if the descriptor stays silent, in milliseconds from now;
 * -1: no such time. The descriptor becomes readable then by itself. */
MBUS_C_API int mbus_deadline(mbus_connection *connection);
/* Waits until the daemon's socket has everything. MBUS_TIMED_OUT: some is still here. */
MBUS_C_API mbus_status mbus_flush(mbus_connection *connection, int limit_ms);

#ifdef __cplusplus
}
#endif

#endif
