/** Alerts as a busy cluster sends them, for the ingest bench: 20 labels, three annotations, twenty pods of one workload per pattern. */

/** How many alerts share a pattern. */
export const ALERTS_PER_PATTERN = 20;

const TYPES = [
  ['KubePodCrashLooping', 'warning', 'Pod is crash looping.'],
  ['CPUThrottlingHigh', 'info', 'Processes experience elevated CPU throttling.'],
  ['KubeContainerWaiting', 'warning', 'Pod container waiting longer than 1 hour.'],
  ['HighErrorRate', 'critical', 'More than 5% of the requests fail.'],
] as const;

interface BenchAlert {
  readonly status: 'firing';
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
  readonly fingerprint: string;
}

/** The `index`-th alert of a run; runs differ, so that every alert is a new episode. */
export function makeAlert(run: string, index: number, startsAt: string): BenchAlert {
  const workload = Math.floor(index / ALERTS_PER_PATTERN);
  const [alertname, severity, summary] = TYPES[workload % TYPES.length] ?? TYPES[0];
  const namespace = `team-${Math.floor(workload / 5) % 40}`;
  const app = `service-${run}-${workload}`;
  const pod = `${app}-${hex(workload, 9)}-${hex(index, 5)}`;
  const node = `worker-${index % 60}.eu-west.example.com`;
  return {
    status: 'firing',
    labels: {
      alertname,
      severity,
      namespace,
      pod,
      container: 'main',
      job: 'kube-state-metrics',
      instance: `10.244.${index % 200}.${workload % 250}:8080`,
      service: 'kube-prometheus-stack-kube-state-metrics',
      endpoint: 'http',
      prometheus: 'monitoring/kube-prometheus-stack-prometheus',
      prometheus_replica: 'prometheus-kube-prometheus-stack-prometheus-0',
      cluster: 'production-eu-west-1',
      region: 'eu-west-1',
      environment: 'production',
      team: `team-${workload % 12}`,
      deployment: app,
      node,
      uid: `${hex(index, 8)}-4a5b-4c6d-8e7f-${hex(index * 7, 12)}`,
      reason: 'CrashLoopBackOff',
      tier: 'backend',
    },
    annotations: {
      summary,
      description: `Pod ${namespace}/${pod} (main) on ${node} has been in this state for more than fifteen minutes; ${index % 90} of the last 100 checks failed.`,
      runbook_url: `https://runbooks.example.com/runbooks/kubernetes/${alertname.toLowerCase()}`,
    },
    startsAt,
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: `http://prometheus.example.com/graph?g0.expr=rate%28kube_pod_container_status_restarts_total%5B5m%5D%29+%3E+0&g0.tab=1`,
    fingerprint: hex(index * 31, 16),
  };
}

/** A webhook body as Alertmanager 0.25 writes it. */
export function makeWebhook(alerts: readonly BenchAlert[]): string {
  const first = alerts[0]?.labels ?? {};
  const group = { alertname: first['alertname'], namespace: first['namespace'] };
  return JSON.stringify({
    receiver: 'alertgest',
    status: 'firing',
    alerts,
    groupLabels: group,
    commonLabels: { ...group, severity: first['severity'], cluster: first['cluster'] },
    commonAnnotations: {},
    externalURL: 'http://alertmanager.example.com:9093',
    version: '4',
    groupKey: `{}/{}:{alertname="${group.alertname}", namespace="${group.namespace}"}`,
    truncatedAlerts: 0,
  });
}

/** Letters and digits that look like a hash and depend on `seed` alone. */
function hex(seed: number, length: number): string {
  const digits = ((seed + 1) * 2_654_435_761).toString(36) + ((seed + 7) * 40_503).toString(36);
  return digits.replaceAll('.', '').padStart(length, 'b').slice(-length);
}
