// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of cameras and displays are charged to users, too
 */
#include "tap.h"
#include "guest.h"
#include "heap.h"
#include "charge.h"
#include "video.h"
#include "card.h"

#define WIDTH	320
#define HEIGHT	240
#define SIZE	(WIDTH * HEIGHT * 2)
#define PAGES	((SIZE + PAGE - 1) / PAGE * PAGE)

/* Request buffers: how many there are, or 100 plus an errno. */
static int request_as(int video, int count)
{
	int ret = request(video, CAPTURE, V4L2_MEMORY_MMAP, count);

	return ret < 0 ? 100 - ret : ret;
}

TEST(camera, "a limit leaves a queue fewer buffers, or none")
{
	struct charged before = charged(SOMEBODY);
	int video, fd;
	char limit[20];

	need_contiguous(is_camera);
	video = camera_open(0, WIDTH, HEIGHT);
	no_limits();
	REQUIRE(as_user(SOMEBODY, request_as, video, 6) == 6, "a limit, although there is none");
	REQUIRE(charged(SOMEBODY).bytes == before.bytes + 6 * PAGES, "%llu bytes are charged",
		charged(SOMEBODY).bytes);
	must_request(video, CAPTURE, V4L2_MEMORY_MMAP, 0);
	REQUIRE(charged(SOMEBODY).bytes == before.bytes, "charged after the buffers are free");

	snprintf(limit, sizeof(limit), "%d", 4 * PAGES + PAGE);
	set_limit("user_limit", limit);
	REQUIRE(as_user(SOMEBODY, request_as, video, 6) == 4, "not 4 buffers");
	fd = export_plane(video, CAPTURE, 0, 0, O_RDWR);
	REQUIRE(fd >= 0, "%s", strerror(-fd));
	no_limits();
	/* An exported buffer stays charged after its queue */
	close(video);
	REQUIRE(charged(SOMEBODY).bytes == before.bytes + PAGES, "%llu bytes are charged",
		charged(SOMEBODY).bytes);
	close(fd);
	REQUIRE(charged(SOMEBODY).bytes == before.bytes, "charged after the buffer is free");

	video = camera_open(0, WIDTH, HEIGHT);
	set_limit("user_limits", "1000 0");
	REQUIRE(as_user(SOMEBODY, request_as, video, 6) == 100 + ENOMEM, "a buffer");
	no_limits();
	must_request(video, CAPTURE, V4L2_MEMORY_MMAP, 2);
	close(video);
}

/* Create dumb buffers of 1 MiB: how many there are, or an errno plus 100. */
static int create_as(int card, int count)
{
	struct frame frame;
	int n, ret;

	for (n = 0; n < count; n++) {
		ret = dumb_create(card, &frame, 512, 512, 32);
		if (ret == -EDQUOT)
			break;
		if (ret)
			return 100 - ret;
	}
	return n;
}

TEST(display, "dumb buffers beyond the limit of a user are refused")
{
	struct charged before = charged(SOMEBODY);
	int card = card_open();

	no_limits();
	set_limit("user_limits", "1000 3M");
	REQUIRE(as_user(SOMEBODY, create_as, card, 6) == 3, "not 3 buffers");
	REQUIRE(charged(SOMEBODY).bytes == before.bytes + 3 * MIB, "%llu bytes are charged",
		charged(SOMEBODY).bytes);
	REQUIRE(charged(SOMEBODY).refused == before.refused + 1, "not counted");
	REQUIRE(as_user(SOMEBODY_ELSE, create_as, card, 6) == 6, "a limit of somebody else");
	no_limits();
	close(card);
	REQUIRE(charged(SOMEBODY).bytes == before.bytes, "charged after the buffers are free");
	REQUIRE(!charged(SOMEBODY_ELSE).bytes, "charged after the buffers are free");
}
