/* The C interface: sends a greeting and prints what comes for (app:hello) within the seconds that
 * the argument names.   ./hello [SECONDS] */
#include <stdio.h>
#include <stdlib.h>

#include <mbus/mbus.h>

static int fail(void) {
    fprintf(stderr, "%s\n", mbus_last_error());
    return 1;
}

static void print(void *context, const mbus_message *message) {
    size_t i;
    int *count = context;
    for (i = 0; i < mbus_message_commands(message); ++i) {
        printf("%s %s%s\n", mbus_message_from(message), mbus_message_command_name(message, i),
               mbus_message_command_arguments(message, i));
    }
    fflush(stdout);
    ++*count;
}

int main(int argc, char **argv) {
    mbus_connection *bus;
    mbus_entity *me;
    mbus_delivery delivery;
    int count = 0;

    if (mbus_connect(NULL, &bus) != MBUS_OK) return fail();
    if (mbus_attach(bus, "(app:hello)", NULL, &me) != MBUS_OK) return fail();
    printf("attached as %s\n", mbus_entity_address(me));
    fflush(stdout);

    if (mbus_send(me, "()", "hello.world(\"from C\")") != MBUS_OK) return fail();
    if (mbus_send_reliable(me, "app:b", "hello.world(\"reliably\")", 2000, &delivery) == MBUS_OK) {
        printf("acknowledged by %s\n", delivery.by);
    } else {
        printf("not acknowledged: %s\n", mbus_last_error());
    }
    mbus_on_message(me, print, &count);
    if (mbus_run(bus, argc > 1 ? 1000 * atoi(argv[1]) : 0) != MBUS_OK) return fail();
    printf("%d message(s)\n", count);

    mbus_detach(me);
    mbus_disconnect(bus);
    return 0;
}
