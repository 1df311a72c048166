/* A PAM module that does one thing a guest must not do, named by its argument, and then succeeds. With it
 * the laboratory proves that it would notice.
 */
#include <fcntl.h>
#include <pthread.h>
#include <security/pam_modules.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Outside, so that the compiler cannot leave the allocation out. */
void *volatile kept;

static void *linger(void *data)
{
	pause();
	return data;
}

static void handle(int signal)
{
	(void)signal;
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const char *deed = argc > 0 ? argv[0] : "none";
	pthread_t thread;
	(void)pamh, (void)flags;
	if (strcmp(deed, "fd") == 0)
		open("/dev/null", O_RDONLY);
	else if (strcmp(deed, "memory") == 0)
		memset(kept = malloc(1 << 20), 1, 1 << 20);
	else if (strcmp(deed, "thread") == 0)
		pthread_create(&thread, NULL, linger, NULL);
	else if (strcmp(deed, "zombie") == 0 && fork() == 0)
		_exit(0);
	else if (strcmp(deed, "umask") == 0)
		umask(0);
	else if (strcmp(deed, "signal") == 0)
		signal(SIGPIPE, handle);
	else if (strcmp(deed, "environment") == 0)
		putenv("BAD_GUEST=was here");
	else if (strcmp(deed, "stderr") == 0)
		fprintf(stderr, "hello\n");
	else if (strcmp(deed, "stdout") == 0)
		printf("hello\n");
	else if (strcmp(deed, "abort") == 0)
		abort();
	return PAM_SUCCESS;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}
