/* SPDX-License-Identifier: GPL-2.0 */
/* Faithful: lists */
#ifndef HOST_LISTS_H
#define HOST_LISTS_H

struct list_head { struct list_head *next, *prev; };

#define LIST_HEAD(name)	struct list_head name = { &name, &name }

static inline void list_add(struct list_head *new, struct list_head *head)
{
	*new = (struct list_head){ head->next, head };
	head->next->prev = new;
	head->next = new;
}

static inline void list_del(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
}

#endif
