"""Compares what docker-compose and scripts/stack run: compare_stack.py COMPOSE PLAN

COMPOSE is the output of `docker-compose config`, PLAN that of `scripts/stack plan` with the same values.
"""

import json
import re
import sys

import yaml

# Settings that say where a process is, and which networks its proxy is in.
PLACES = {"PATH", "HOME"}
PROXIES = "RAPIDPHOTO_SERVER__TRUSTED_PROXIES"
HOSTS = r"(0\.0\.0\.0|127\.0\.0\.1|postgres|rabbitmq|store):\d+"


def without_hosts(value, state):
    """A value of a setting with the parts that scripts/stack replaces left out."""
    value = str(value).replace(f"{state}/store", "/var/lib/rapidphoto")
    # Passwords end the part before the host.
    return re.sub(rf"(^|//|@){HOSTS}", r"\1HOST", value)


def differences(compose, plan):
    services, processes, state = compose["services"], plan["processes"], plan["state"]
    replicas = {name: settings.get("deploy", {}).get("replicas", 1) for name, settings in services.items()}
    planned = {}
    for process in processes.values():
        planned[process["service"]] = planned.get(process["service"], 0) + 1
    if replicas != planned:
        yield f"services and replicas: {replicas} and {planned}"
        return
    started = [process["service"] for process in processes.values()]
    for service, settings in services.items():
        for earlier in settings.get("depends_on", {}):
            if started.index(earlier) > started.index(service):
                yield f"{service} starts before {earlier}"
    for name, process in processes.items():
        settings = services[process["service"]]
        if "build" not in settings:
            continue
        command = settings.get("command")
        if command and process["arguments"][-len(command):] != command:
            yield f"{name}: arguments {process['arguments']} instead of {command}"
        binary = process["arguments"][0].rsplit("/", 1)[1]
        if binary not in ("rapidphoto-api", "rapidphoto-worker", "rapidphoto"):
            yield f"{name}: runs {binary}"
        composed = {key: str(value) for key, value in settings["environment"].items()}
        run = {key: value for key, value in process["environment"].items() if key not in PLACES}
        if composed.keys() != run.keys():
            yield f"{name}: names of settings differ: {sorted(composed.keys() ^ run.keys())}"
        for key in composed.keys() & run.keys() - {PROXIES}:
            if without_hosts(composed[key], state) != without_hosts(run[key], state):
                yield f"{name}: {key} is {run[key]!r} instead of {composed[key]!r}"


def main():
    with open(sys.argv[1]) as compose, open(sys.argv[2]) as plan:
        compose, plan = yaml.safe_load(compose), json.load(plan)
    found = list(differences(compose, plan))
    if not found:
        # The comparison itself: a change on either side must be found.
        for change in (
            lambda: plan["processes"].pop("api-2"),
            lambda: compose["services"]["worker"]["environment"].update(RAPIDPHOTO_WORK__POLL="1s"),
            lambda: plan["processes"]["api-1"]["environment"].update(RAPIDPHOTO_STORAGE__BUCKET="others"),
            lambda: plan["processes"]["migrate"]["arguments"].append("--again"),
        ):
            kept = json.dumps([compose, plan])
            change()
            if not list(differences(compose, plan)):
                found.append("the comparison does not find a difference that was made")
            compose, plan = json.loads(kept)
    for difference in found:
        print(f"docker-compose.yml and scripts/stack: {difference}", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
