// SPDX-License-Identifier: Apache-2.0
//
// Tickets: how a fiber of store waits for another thread. The one hard thing is a fiber that is cancelled between the moment in which the
// other thread has sent the wake-up (loop_event_set_from) and the moment in which its loop delivers it: the event is still needed then, but
// the fiber has to go on. Such a ticket is left in a list, and freed when a later one finds that its wake-up has come.
#include "store/inside.h"

#include <stdlib.h>

void ticket_init(struct ticket *ticket)
{
    loop_event_init(&ticket->event);
    ticket->told = false;
    ticket->previous = ticket->next = NULL;
}

void ticket_push(struct ticket_list *list, struct ticket *ticket)
{
    ticket->previous = list->last;
    ticket->next = NULL;
    *(list->last ? &list->last->next : &list->first) = ticket;
    list->last = ticket;
}

void ticket_remove(struct ticket_list *list, struct ticket *ticket)
{
    *(ticket->previous ? &ticket->previous->next : &list->first) = ticket->next;
    *(ticket->next ? &ticket->next->previous : &list->last) = ticket->previous;
    ticket->previous = ticket->next = NULL;
}

struct ticket *ticket_pop(struct ticket_list *list)
{
    struct ticket *ticket = list->first;
    if (ticket) {
        ticket_remove(list, ticket);
    }
    return ticket;
}

// Frees what waits for nothing any more. An event's `set` is written by its own loop's thread, so only that thread may look.
static void sweep_lingering(struct store *store)
{
    struct ticket **link = &store->lingering;
    while (*link) {
        struct ticket *ticket = *link;
        if (ticket->event.loop == loop_current() && ticket->event.set) {
            *link = ticket->next;
            free(ticket);
        } else {
            link = &ticket->next;
        }
    }
}

void ticket_free(struct store *store, struct ticket *ticket)
{
    if (BASE_LIKELY(!ticket->told || ticket->event.set)) {
        free(ticket);
        return;
    }
    pthread_mutex_lock(&store->lock);
    sweep_lingering(store);
    ticket->next = store->lingering;
    store->lingering = ticket;
    pthread_mutex_unlock(&store->lock);
}

void ticket_free_lingering(struct store *store)
{
    while (store->lingering) {
        struct ticket *ticket = store->lingering;
        store->lingering = ticket->next;
        free(ticket);
    }
}
