/* One PAM login, measured from inside of the process that asks for it.
 *
 *   pam_cost CONFDIR SERVICE USER
 *
 * One line comes out: what pam_authenticate returned; from pam_start to pam_end the time and the CPU time, in
 * microseconds, and the page faults; in KiB the resident memory that came with the module, how much of that is the
 * process's own, and what stayed. A process does this once: sshd and sudo, too, load the module for one login.
 */
#define _GNU_SOURCE
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static int talk(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	(void)msg, (void)data;
	*resp = calloc(n > 0 ? n : 1, sizeof **resp);
	return *resp ? PAM_SUCCESS : PAM_BUF_ERR;
}

/* Nobody waits two seconds after a failure. */
static void no_delay(int status, unsigned delay, void *data)
{
	(void)status, (void)delay, (void)data;
}

static double us(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

struct effort {
	double time, cpu;
	long faults;
};

static struct effort effort(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (struct effort) { us(CLOCK_MONOTONIC), us(CLOCK_PROCESS_CPUTIME_ID), usage.ru_minflt };
}

struct memory {
	long rss, dirty;
};

/* Resident memory, and how much of it nobody shares, in KiB. */
static struct memory memory(void)
{
	struct memory m = { 0, 0 };
	char line[256];
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	while (f && fgets(line, sizeof line, f)) {
		sscanf(line, "Rss: %ld", &m.rss);
		sscanf(line, "Private_Dirty: %ld", &m.dirty);
	}
	if (f)
		fclose(f);
	return m;
}

int main(int argc, char **argv)
{
	struct pam_conv conv = { talk, NULL };
	pam_handle_t *pamh = NULL;
	if (argc != 4)
		return 2;
	/* Once before, because what looking costs is ours and not the module's. */
	memory();
	struct memory before = memory();
	struct effort began = effort();
	if (pam_start_confdir(argv[2], argv[3], &conv, argv[1], &pamh) != PAM_SUCCESS)
		return 3;
	pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay);
	int result = pam_authenticate(pamh, 0);
	pam_setcred(pamh, PAM_ESTABLISH_CRED);
	struct effort asked = effort();
	struct memory loaded = memory();
	struct effort ends = effort();
	pam_end(pamh, result);
	struct effort ended = effort();
	printf("%d %.1f %.1f %ld %ld %ld %ld\n", result, asked.time - began.time + ended.time - ends.time,
	       asked.cpu - began.cpu + ended.cpu - ends.cpu, asked.faults - began.faults + ended.faults - ends.faults,
	       loaded.rss - before.rss, loaded.dirty - before.dirty, memory().rss - before.rss);
	return 0;
}
