"""Stack files of any size: every service as rich as those in real files."""

from __future__ import annotations

SECRET = "correct horse battery staple\n"
CONFIG = "log_level: info\nworkers: 4\n"

# No task is ever started: what is measured is the deploying, not the engine's pulling and starting.
SERVICE = """
  app{number}:
    image: registry.home.arpa/shop/app{number}:1.4.2
    command: [serve, --port, "8080"]
    user: "1000:1000"
    init: true
    stop_grace_period: 20s
    environment:
      TZ: Europe/Berlin
      LOG_LEVEL: "{level}"
      DATABASE: postgres://app{number}@db/app{number}
    healthcheck:
      test: [CMD, wget, -qO-, "http://127.0.0.1:8080/health"]
      interval: 15s
      timeout: 3s
      retries: 4
    labels: {{org.example.team: shop}}
    networks: [front, back]
    volumes:
      - data{number}:/var/lib/app
      - type: tmpfs
        target: /tmp
    secrets:
      - source: password
        mode: 0400
    configs: [settings]
    logging:
      driver: json-file
      options: {{max-size: 10m, max-file: "3"}}
    deploy:
      replicas: 0
      labels: {{org.example.app: app{number}}}
      resources:
        limits: {{cpus: "0.5", memory: 256M}}
        reservations: {{memory: 64M}}
      restart_policy: {{condition: on-failure, delay: 5s, max_attempts: 5, window: 60s}}
      update_config: {{parallelism: 1, order: start-first, failure_action: rollback, monitor: 10s}}
      placement:
        constraints: [node.role == worker, node.labels.disk == ssd]
"""


def stack(services: int, level: str = "info") -> str:
    """The file's text; another ``level`` changes every service."""
    numbers = range(1, services + 1)
    return "".join(
        [
            'version: "3.8"\nservices:',
            *(SERVICE.format(number=number, level=level) for number in numbers),
            "networks: {front: {}, back: {internal: true}}\n",
            "secrets: {password: {file: ./password.txt}}\n",
            "configs: {settings: {file: ./settings.yml}}\n",
            "volumes:\n",
            *(f"  data{number}: {{}}\n" for number in numbers),
        ]
    )
