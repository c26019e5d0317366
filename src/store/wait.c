// SPDX-License-Identifier: Apache-2.0
//
// Tickets: how a fiber of store waits for another thread. Whoever serves the list takes the ticket out of it under the list's lock, does
// the work, and sends the wake-up. A fiber that is cancelled leaves the list; if its ticket has been taken meanwhile, somebody may be using
// what hangs on it, and will send the wake-up to it: then the fiber stays until that has come.
#include "store/inside.h"

void ticket_init(struct ticket *ticket)
{
    loop_event_init(&ticket->event);
    ticket->taken = false;
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
        ticket->taken = true;
    }
    return ticket;
}

bool ticket_wait(struct ticket *ticket, struct ticket_list *list, pthread_mutex_t *lock, struct fail *fail)
{
    struct fail why = {0};
    if (BASE_LIKELY(loop_event_wait(&ticket->event, -1, &why))) {
        return true;
    }
    pthread_mutex_lock(lock);
    bool taken = ticket->taken;
    if (!taken) {
        ticket_remove(list, ticket);
    }
    pthread_mutex_unlock(lock);
    if (taken) {
        loop_event_wait_surely(&ticket->event);
    } else {
        *fail = why;
    }
    return taken;
}
