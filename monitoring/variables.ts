/**
 * The thresholds of the alert rules. Each is a variable with a default per environment and may be set by the environment
 * variable of the same name in capitals (`ALERT_CPU_THRESHOLD=85 make monitoring`), or by Terraform as `TF_VAR_…`.
 */

/** Where the stack runs: one k3s node with media services, or several nodes with products and people on call. */
export const ENVIRONMENTS = ['homelab', 'company'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

interface Variable {
  readonly homelab: number | string;
  readonly company: number | string;
  readonly meaning: string;
}

const same = (value: number | string, meaning: string): Variable => ({
  homelab: value,
  company: value,
  meaning,
});

/** Every variable with its defaults; percentages are 0–100, durations are Prometheus'. */
export const VARIABLES = {
  alert_cpu_threshold: same(80, 'node CPU in percent, warning'),
  alert_cpu_high_threshold: same(90, 'node CPU in percent, urgent warning'),
  alert_cpu_critical_threshold: same(95, 'node CPU in percent, critical'),
  alert_memory_threshold: same(80, 'node memory in percent, warning'),
  alert_memory_high_threshold: same(90, 'node memory in percent, urgent warning'),
  alert_memory_critical_threshold: same(95, 'node memory in percent, critical'),
  alert_capacity_threshold: same(80, 'CPU or memory in percent that counts as "persistently high"'),
  alert_capacity_for: same('4h', 'how long that lasts before it is a matter of capacity'),
  alert_disk_threshold: same(80, 'disk of a node in percent, warning'),
  alert_disk_critical_threshold: same(90, 'disk of a node in percent, critical'),
  alert_mountpoints: {
    homelab: '/|/mnt/data',
    company: '/|/var/lib/.+|/data',
    meaning: 'mountpoints watched on nodes, a regular expression',
  },
  alert_error_rate_threshold: same(1, 'share of 5xx answers in percent, warning; stays below 5'),
  alert_error_rate_critical_threshold: same(5, 'share of 5xx answers in percent, critical'),
  alert_latency_p95_seconds: same(2, '95th percentile of a service'),
  alert_latency_p99_seconds: same(2, '99th percentile of a service'),
  alert_ingress_latency_p95_seconds: same(1.5, '95th percentile at the ingress'),
  alert_service_cpu_threshold: same(85, 'CPU of a container in percent of its limit'),
  alert_service_memory_threshold: same(85, 'memory of a container in percent of its limit'),
  alert_crash_loop_restarts: same(3, 'restarts within ten minutes that are a crash loop'),
  alert_crash_loop_namespaces: same('.+', 'namespaces watched for crash loops, a regular expression'),
  alert_pod_restarts_per_hour: same(5, 'restarts within an hour that are too many'),
  alert_pod_not_ready_for: { homelab: '10m', company: '5m', meaning: 'how long a pod may be not ready' },
  alert_volume_threshold: same(80, 'persistent volume in percent, warning'),
  alert_volume_critical_threshold: same(90, 'persistent volume in percent, critical'),
  alert_certificate_days: same(30, 'days a certificate still holds, warning'),
  alert_certificate_critical_days: same(7, 'days a certificate still holds, critical'),
  alert_backup_max_age_hours: same(26, 'hours since the last backup that succeeded'),
  alert_database_connections_threshold: same(80, 'connections in percent of the maximum'),
  alert_replication_lag_seconds: same(30, 'how far a PostgreSQL replica may be behind'),
  alert_redis_memory_threshold: same(90, 'memory of Redis in percent of maxmemory'),
  alert_queue_messages: same(10_000, 'messages waiting in a queue'),
  alert_unattended_queues: same(
    '.*(dead|dlq|parking).*',
    'queues that need no consumer, a regular expression',
  ),
  alert_application_success_threshold: same(70, 'successful applications in percent'),
  alert_ai_rate_limited_per_minute: same(10, 'requests a minute that an AI provider refuses'),
  alert_churn_threshold: same(10, 'users lost within a day in percent'),
  alert_payment_failure_threshold: same(5, 'failed payments in percent'),
  runbook_base_url: same(
    'https://git.example.com/platform/alertgest/blob/main/docs/runbooks',
    'where people can read the pages of docs/runbooks; a page is named like its alert',
  ),
} as const satisfies Record<string, Variable>;

export type VariableName = keyof typeof VARIABLES;

/** The values that rules are built with. */
export type Variables = Readonly<Record<VariableName, string>>;

/** The values of an environment; `overrides` (usually `process.env`) wins by the name in capitals. */
export function readVariables(
  environment: Environment,
  overrides: Readonly<Record<string, string | undefined>> = {},
): Variables {
  const entries = Object.entries(VARIABLES).map(([name, defaults]) => {
    const value = overrides[name.toUpperCase()] ?? '';
    return [
      name,
      checkValue(name, value === '' ? String(defaults[environment]) : value, defaults[environment]),
    ];
  });
  return Object.fromEntries(entries) as Variables;
}

function checkValue(name: string, value: string, model: number | string): string {
  const isDuration = typeof model === 'string' && /^\d+[smhd]$/.test(model);
  const isWrong =
    (typeof model === 'number' && !/^\d+(\.\d+)?$/.test(value)) ||
    (isDuration && !/^(\d+[smhd])+$/.test(value)) ||
    /["\\\n]/.test(value);
  if (isWrong) throw new Error(`${name.toUpperCase()} must look like ${String(model)}`);
  return value;
}
