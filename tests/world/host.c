/* An application with whims: it asks PAM again and again in one process, talks to its user well, badly or
 * not at all, and watches what a module does to the process it is a guest in.
 *
 *   host ask SERVICE USER TIMES CONVERSATION   one line per round: result, and what the process looks like
 *   host laps LAPS RUN...                      all the runs, each SERVICE,USER,CONVERSATION,RESULT, so many times
 *   host load MODULE TIMES                     dlopen, look up the six entry points, dlclose
 *
 * `laps` tells after each lap what the process looks like. It speaks through its standard input, a socket, so that
 * whatever comes out of its standard output and error was written by somebody else; it stays until that is closed.
 *
 * CONVERSATION: talk (shows nothing, answers every prompt with an empty line), null (no function), fail
 * (PAM_CONV_ERR), empty (success, but no answers).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int messages;

static int talk(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	struct pam_response *answers = calloc(n > 0 ? n : 1, sizeof *answers);
	(void)data;
	messages += n;
	for (int i = 0; i < n; i++)
		if (msg[i]->msg_style == PAM_PROMPT_ECHO_ON || msg[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			answers[i].resp = strdup("");
	*resp = answers;
	return PAM_SUCCESS;
}

static int fail(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	(void)n, (void)msg, (void)resp, (void)data;
	return PAM_CONV_ERR;
}

static int empty(int n, const struct pam_message **msg, struct pam_response **resp, void *data)
{
	(void)n, (void)msg, (void)data;
	*resp = NULL;
	return PAM_SUCCESS;
}

static void no_delay(int status, unsigned delay, void *data)
{
	(void)status, (void)delay, (void)data;
}

static int entries(const char *folder)
{
	DIR *dir = opendir(folder);
	int found = 0;
	while (dir && readdir(dir))
		found++;
	if (dir)
		closedir(dir);
	return found;
}

static long rss_kib(void)
{
	long pages = 0, total = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f && fscanf(f, "%ld %ld", &total, &pages) != 2)
		pages = -1;
	if (f)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Any child at all, running or dead. */
static int has_child(void)
{
	siginfo_t info;
	return !(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD);
}

/* What belongs to the whole process and no guest may change. */
struct house {
	void (*handler[65])(int);
	sigset_t mask;
	mode_t umask;
	char cwd[4096], locale[256], signals[256], environment[65536];
};

/* The kernel's view of signals: SigBlk, SigIgn, SigCgt. */
static void read_signals(char *text, size_t size)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof line, f))
		if ((strncmp(line, "SigBlk", 6) == 0 || strncmp(line, "SigIgn", 6) == 0 ||
		     strncmp(line, "SigCgt", 6) == 0) && strlen(text) + strlen(line) < size)
			strcat(text, line);
	if (f)
		fclose(f);
}

/* How many mappings a file of this name has in our memory. */
static int mapped(const char *name)
{
	char line[4600];
	int found = 0;
	FILE *f = fopen("/proc/self/maps", "r");
	while (f && fgets(line, sizeof line, f))
		found += strstr(line, name) != NULL;
	if (f)
		fclose(f);
	return found;
}

static void look(struct house *h)
{
	memset(h, 0, sizeof *h);
	for (int s = 1; s < 65; s++) {
		struct sigaction now;
		if (sigaction(s, NULL, &now) == 0)
			h->handler[s] = now.sa_handler;
	}
	sigprocmask(SIG_BLOCK, NULL, &h->mask);
	h->umask = umask(0);
	umask(h->umask);
	if (!getcwd(h->cwd, sizeof h->cwd))
		h->cwd[0] = 0;
	snprintf(h->locale, sizeof h->locale, "%s", setlocale(LC_ALL, NULL));
	read_signals(h->signals, sizeof h->signals);
	char *end = h->environment;
	for (char **e = environ; *e && end + strlen(*e) + 1 < h->environment + sizeof h->environment; e++)
		end = stpcpy(end, *e) + 1;
}

static struct pam_conv conversation(const char *how)
{
	struct pam_conv conv = { talk, NULL };
	if (strcmp(how, "null") == 0)
		conv.conv = NULL;
	else if (strcmp(how, "fail") == 0)
		conv.conv = fail;
	else if (strcmp(how, "empty") == 0)
		conv.conv = empty;
	return conv;
}

static int ask(char **argv)
{
	struct pam_conv conv = conversation(argv[3]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < atoi(argv[2]); i++) {
		static struct house before, after;
		pam_handle_t *pamh = NULL;
		if (pam_start(argv[0], argv[1], &conv, &pamh) != PAM_SUCCESS)
			return 3;
		pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay);
		look(&before);
		int result = pam_authenticate(pamh, 0);
		look(&after);
		pam_end(pamh, result);
		printf("result=%d rss_kib=%ld fds=%d threads=%d child=%d disturbed=%d messages=%d\n", result,
		       rss_kib(), entries("/proc/self/fd") - 3, entries("/proc/self/task") - 2, has_child(),
		       memcmp(&before, &after, sizeof before) != 0, messages);
	}
	return 0;
}

/* Returns what PAM said, or -1. The run is cut into its words and put together again. */
static int login(char *run)
{
	char *service = strtok(run, ","), *user = strtok(NULL, ","), *how = strtok(NULL, ",");
	struct pam_conv conv = conversation(how);
	pam_handle_t *pamh = NULL;
	if (pam_start(service, user, &conv, &pamh) != PAM_SUCCESS)
		return -1;
	pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay);
	int result = pam_authenticate(pamh, 0);
	pam_end(pamh, result);
	user[-1] = how[-1] = how[strlen(how)] = ',';
	return result;
}

static int laps(int times, char **runs)
{
	static struct house before, after;
	look(&before);
	for (int lap = 1; lap <= times; lap++) {
		int disturbed = 0, wrong = 0, logins = 0;
		for (char **run = runs; *run; run++, logins++) {
			int result = login(*run);
			look(&after);
			disturbed += memcmp(&before, &after, sizeof before) != 0;
			if (result != atoi(strrchr(*run, ',') + 1)) {
				dprintf(0, "wrong %s was %d\n", *run, result);
				wrong++;
			}
		}
		dprintf(0, "lap logins=%d wrong=%d rss_kib=%ld fds=%d threads=%d child=%d disturbed=%d mapped=%d\n", logins,
			wrong, rss_kib(), entries("/proc/self/fd") - 3, entries("/proc/self/task") - 2, has_child(),
			disturbed, mapped("pam_mobileid"));
	}
	dprintf(0, "done\n");
	char c;
	return read(0, &c, 1) == 0 ? 0 : 1;
}

static int load(const char *module, int times)
{
	static const char *const doors[] = { "pam_sm_authenticate", "pam_sm_setcred",       "pam_sm_acct_mgmt",
		                             "pam_sm_open_session", "pam_sm_close_session", "pam_sm_chauthtok" };
	for (int i = 0; i < times; i++) {
		void *handle = dlopen(module, RTLD_NOW);
		if (!handle) {
			fprintf(stderr, "%s\n", dlerror());
			return 1;
		}
		for (size_t d = 0; d < sizeof doors / sizeof *doors; d++)
			if (!dlsym(handle, doors[d])) {
				fprintf(stderr, "no %s\n", doors[d]);
				return 1;
			}
		if (dlclose(handle) != 0)
			return 1;
		printf("loaded threads=%d\n", entries("/proc/self/task") - 2);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "ask") == 0)
		return ask(argv + 2);
	if (argc > 3 && strcmp(argv[1], "laps") == 0)
		return laps(atoi(argv[2]), argv + 3);
	if (argc == 4 && strcmp(argv[1], "load") == 0)
		return load(argv[2], atoi(argv[3]));
	fprintf(stderr, "usage: see the head of the source\n");
	return 2;
}
