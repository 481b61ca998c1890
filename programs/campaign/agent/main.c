/* SPDX-License-Identifier: MIT */
/* mkvbench-agent: works on this host for a campaign. It obeys only commands
 * that the build's key has signed, for this contract and this boot, each once
 * (docs/AGENT.md). */

#include <signal.h>

#include "programs/campaign/agent/api.h"
#include "programs/campaign/agent/watch.h"
#include "programs/lib/log.h"
#include "programs/lib/program.h"

enum {
	HANDLER_THREADS = 2,
	QUEUE_MS = 10000,
	CONNECTIONS = 64,
	ADDRESS_CONNECTIONS = 16,
	IDLE_S = 30,
	STOP_S = 5,
};

static struct mkv_agent agent;

static const struct mkv_service_setting own_settings[] = {
	{"PORT", MKV_SETTING_INTEGER, "9180", 0, 65535,
	 .doc = "TCP port to listen on; 0: any free port",
	 .number = &agent.port},
	{"ADDRESS",
	 .doc = "IPv4 address to listen on; default: the host's address of the "
		"contract",
	 .text = &agent.address},
	{"RUN_DIR", MKV_SETTING_TEXT, "/run/mkvbench", .max = 1000,
	 .doc = "directory of the host's name, the receipts and the agent's own "
		"files",
	 .text = &agent.run_dir},
	{"CONTRACT_DIR", MKV_SETTING_TEXT, "/usr/lib/mkvbench", .max = 1000,
	 .doc = "directory of contract.json and key.pub",
	 .text = &agent.contract_dir},
	{"LOADGEN_DIR", MKV_SETTING_TEXT, "/var/lib/loadgen", .max = 1000,
	 .doc = "directory of the load generator's results",
	 .text = &agent.loadgen_dir},
	{"OVERRIDES_DIR", MKV_SETTING_TEXT, MKV_SETTINGS_OVERRIDES, .max = 1000,
	 .doc = "directory of overrides of settings",
	 .text = &agent.overrides_dir},
	{"STATE_DIR", MKV_SETTING_TEXT, "/var/lib", .max = 1000,
	 .doc = "parent of the services' directories: spans go to "
		"STATE_DIR/SERVICE/traces.jsonl with the tracing `file`",
	 .text = &agent.state_dir},
	{"COMMAND_S", MKV_SETTING_INTEGER, "300", 1, 86400,
	 .doc = "seconds that systemctl, docker or a clean-up may take",
	 .number = &agent.child_s},
	{"HEALTH_S", MKV_SETTING_INTEGER, "120", 1, 86400,
	 .doc = "seconds until a restarted service must be healthy",
	 .number = &agent.health_s},
	{"RECEIVE_S", MKV_SETTING_INTEGER, "30", 1, 3600,
	 .doc = "seconds until a request must have arrived as a whole",
	 .number = &agent.receive_s},
	{"BOOT_ID", .doc = "id of the boot, for tests; default: the kernel's",
	 .text = &agent.test_boot_id},
	{0},
};

static int serve(const sigset_t *signals, struct mkv_error *err)
{
	const struct mkv_http_options options = {
		.address = agent.address,
		.port = (uint16_t)agent.port,
		.threads = HANDLER_THREADS,
		.queue_ms = QUEUE_MS,
		.connections = CONNECTIONS,
		.address_connections = ADDRESS_CONNECTIONS,
		.idle_s = IDLE_S,
		.receive_s = (unsigned)agent.receive_s,
		.body_max = MKV_COMMAND_BUNDLE_MAX,
		.bodies_max = 4 * MKV_COMMAND_BUNDLE_MAX,
		.routes = mkv_agent_routes,
		.context = &agent,
	};
	struct mkv_http *http;
	int rc = mkv_http_start(&options, &http, err);
	if (rc < 0)
		return rc;
	int signal = 0;
	mkv_log_info("listening on %s, port %u", agent.address,
		     mkv_http_port(http));
	while (sigwait(signals, &signal) != 0)
		;
	mkv_http_stop(http, STOP_S);
	mkv_agent_stop(&agent);
	return 0;
}

static int run_agent(const struct mkv_program *program, struct mkv_error *err)
{
	struct mkv_error own;
	sigset_t signals;
	(void)program;
	/* Blocked before any thread starts, so that only sigwait() receives
	 * them. */
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	int rc = mkv_agent_load(&agent, err);
	if (rc < 0)
		return rc;
	/* An agent that was killed in a step has left the timer paused. */
	rc = mkv_agent_watch_resume(&agent, &own);
	if (rc < 0)
		mkv_log_error("resume the verifier's watch: %s", own.message);
	return serve(&signals, err);
}

int main(int argc, char **argv)
{
	static const struct mkv_service_setting *const settings[] = {
		own_settings, NULL};
	const struct mkv_program program = {
		.name = "agent", .settings = settings, .run = run_agent};
	int rc = mkv_program_main(&program, argc, argv);
	mkv_agent_done(&agent);
	return rc;
}
