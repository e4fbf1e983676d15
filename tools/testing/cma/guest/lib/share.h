/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A buffer from a heap, and passing its descriptor to another process
 */
#ifndef SHARE_H
#define SHARE_H

#include <errno.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define BUFINFO	"/sys/kernel/debug/dma_buf/bufinfo"

/* A buffer's descriptor, or a negative errno. */
static int heap_alloc(int heap, __u64 len, __u32 fd_flags)
{
	struct dma_heap_allocation_data data = {
		.len = len, .fd_flags = fd_flags,
	};

	return ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) ? -errno : (int)data.fd;
}

/* A message of one byte with room for a descriptor. */
struct fd_message {
	char byte;
	struct iovec iov;
	struct msghdr msg;
	char control[CMSG_SPACE(sizeof(int))];
};

static void fd_message_init(struct fd_message *m)
{
	memset(m, 0, sizeof(*m));
	m->iov.iov_base = &m->byte;
	m->iov.iov_len = 1;
	m->msg.msg_iov = &m->iov;
	m->msg.msg_iovlen = 1;
	m->msg.msg_control = m->control;
	m->msg.msg_controllen = sizeof(m->control);
}

/* Send a descriptor to the other end; 0, or a negative errno. */
static int send_fd(int sock, int fd)
{
	struct fd_message m;
	struct cmsghdr *cmsg;

	fd_message_init(&m);
	cmsg = CMSG_FIRSTHDR(&m.msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &m.msg, 0) == 1 ? 0 : -errno;
}

/* The descriptor that the other end sent, or a negative errno. */
static int receive_fd(int sock)
{
	struct fd_message m;
	struct cmsghdr *cmsg;
	int fd;

	fd_message_init(&m);
	if (recvmsg(sock, &m.msg, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&m.msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -ENOMSG;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

#endif
