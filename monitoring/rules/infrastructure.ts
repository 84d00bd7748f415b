/** Alerts about pods, rollouts and jobs; nodes and storage are in `nodes.ts` and `storage.ts`, in the same group. */
import type { Variables } from '../variables.ts';
import { nodes } from './nodes.ts';
import { oneLine } from './rule.ts';
import type { AlertRule, RuleGroup } from './rule.ts';
import { storage } from './storage.ts';

const POD = 'namespace="media",pod="qbittorrent-0"';
const POD_LABELS = { namespace: 'media', pod: 'qbittorrent-0' };
const CONTAINER = `${POD},container="qbittorrent"`;
const CONTAINER_LABELS = { ...POD_LABELS, container: 'qbittorrent' };
const DEPLOYMENT = 'namespace="shop",deployment="api"';
const DEPLOYMENT_LABELS = { namespace: 'shop', deployment: 'api' };

/** The group "Infrastructure". */
export function infrastructure(v: Variables): RuleGroup {
  return {
    name: 'Infrastructure',
    file: 'infrastructure',
    rules: [...pods(v), ...rollouts(), ...exporters(), ...nodes(v), ...storage(v)],
  };
}

function pods(v: Variables): AlertRule[] {
  const phase = (name: string, value: string): [string, string] => [
    `kube_pod_status_phase{${POD},phase="${name}"}`,
    value,
  ];
  return [
    {
      alert: 'PodCrashLooping',
      severity: 'warning',
      category: 'workload',
      // Once Kubernetes waits five minutes between tries, restarts alone no longer show the loop: so also the waiting itself.
      expr: oneLine(`sum by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total{namespace=~"${v.alert_crash_loop_namespaces}"}[10m])) > ${v.alert_crash_loop_restarts}
        or sum by (namespace, pod, container) (count_over_time((kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff",namespace=~"${v.alert_crash_loop_namespaces}"} == 1)[10m:1m])) >= 5`),
      summary: '{{ $labels.container }} crashes again and again',
      description: '{{ $labels.namespace }}/{{ $labels.pod }} is in a crash loop.',
      remediation:
        'Read the log of the previous container and its exit code; 137 is memory, 1 is usually configuration.',
      proof: {
        at: '12m',
        labels: CONTAINER_LABELS,
        fires: [[`kube_pod_container_status_restarts_total{${CONTAINER}}`, '0 0 1 2 3 4 5 6 6 6 7 7 7 7']],
        quiet: [[`kube_pod_container_status_restarts_total{${CONTAINER}}`, '0 0 1 1 1 1 1 1 1 1 2 2 2 2']],
      },
    },
    {
      alert: 'PodNotReady',
      severity: 'warning',
      category: 'workload',
      expr: oneLine(`(max by (namespace, pod) (kube_pod_status_phase{phase=~"Pending|Unknown|Failed"}) == 1
        or (max by (namespace, pod) (kube_pod_status_ready{condition="false"}) == 1
          unless max by (namespace, pod) (kube_pod_status_phase{phase="Succeeded"}) == 1))
        unless max by (namespace, pod) (kube_pod_owner{owner_kind="Job"}) == 1`),
      for: v.alert_pod_not_ready_for,
      summary: '{{ $labels.pod }} is not ready',
      description:
        '{{ $labels.namespace }}/{{ $labels.pod }} has not been ready for a while and gets no requests.',
      remediation: 'Describe the pod: the last events say whether image, volume, node or probe is the cause.',
      proof: {
        at: '15m',
        labels: POD_LABELS,
        fires: [
          phase('Running', '1x20'),
          phase('Succeeded', '0x20'),
          [`kube_pod_status_ready{${POD},condition="false"}`, '1x20'],
        ],
        quiet: [
          phase('Running', '0x20'),
          phase('Succeeded', '1x20'),
          [`kube_pod_status_ready{${POD},condition="false"}`, '1x20'],
        ],
      },
    },
    {
      alert: 'PodFrequentRestarts',
      severity: 'warning',
      category: 'workload',
      expr: `sum by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total[1h])) > ${v.alert_pod_restarts_per_hour}`,
      summary: '{{ $labels.container }} restarts often',
      description:
        '{{ $labels.namespace }}/{{ $labels.pod }} restarted {{ $value | printf "%.0f" }} times within an hour.',
      remediation:
        'Compare the restart times with memory and with the liveness probe; loosen a probe that is too strict.',
      proof: {
        at: '70m',
        labels: CONTAINER_LABELS,
        value: '6',
        fires: [[`kube_pod_container_status_restarts_total{${CONTAINER}}`, '0x19 1x8 2x8 3x8 4x8 5x8 6x20']],
        quiet: [[`kube_pod_container_status_restarts_total{${CONTAINER}}`, '0x19 1x8 2x8 3x8 4x8 5x30']],
      },
    },
    {
      alert: 'JobFailed',
      severity: 'warning',
      category: 'workload',
      expr: 'max by (namespace, job_name) (kube_job_failed{condition="true"}) == 1',
      summary: 'The job {{ $labels.job_name }} failed',
      description: '{{ $labels.namespace }}/{{ $labels.job_name }} used up its attempts.',
      remediation:
        'Read the log of its last pod, start it once by hand, delete the failed Job when it is understood.',
      proof: {
        at: '1m',
        labels: { namespace: 'media', job_name: 'qbittorrent-scraper-28751234' },
        fires: [
          [
            'kube_job_failed{namespace="media",job_name="qbittorrent-scraper-28751234",condition="true"}',
            '1x5',
          ],
        ],
        quiet: [
          [
            'kube_job_failed{namespace="media",job_name="qbittorrent-scraper-28751234",condition="true"}',
            '0x5',
          ],
        ],
      },
    },
  ];
}

function rollouts(): AlertRule[] {
  const by = 'max by (namespace, deployment)';
  return [
    {
      alert: 'DeploymentReplicasMismatch',
      alsoKnownAs: ['DeploymentReplicaMismatch'],
      severity: 'warning',
      category: 'workload',
      expr: `${by} (kube_deployment_spec_replicas) != ${by} (kube_deployment_status_replicas_available)`,
      for: '10m',
      summary: '{{ $labels.deployment }} has not all its replicas',
      description:
        '{{ $labels.namespace }}/{{ $labels.deployment }} wants {{ $value | printf "%.0f" }} replicas, and another number is available.',
      remediation:
        'Look at its pods that are not ready; without any, look at quota and at free room on the nodes.',
      proof: {
        at: '12m',
        labels: DEPLOYMENT_LABELS,
        value: '3',
        fires: [
          [`kube_deployment_spec_replicas{${DEPLOYMENT}}`, '3x20'],
          [`kube_deployment_status_replicas_available{${DEPLOYMENT}}`, '2x20'],
        ],
        quiet: [
          [`kube_deployment_spec_replicas{${DEPLOYMENT}}`, '3x20'],
          [`kube_deployment_status_replicas_available{${DEPLOYMENT}}`, '2x9 3x10'],
        ],
      },
    },
    {
      alert: 'DeploymentGenerationMismatch',
      severity: 'warning',
      category: 'workload',
      expr: oneLine(`${by} (kube_deployment_metadata_generation) != ${by} (kube_deployment_status_observed_generation)
        or ${by} (kube_deployment_spec_replicas) > ${by} (kube_deployment_status_replicas_updated)`),
      for: '15m',
      summary: 'The rollout of {{ $labels.deployment }} does not finish',
      description: '{{ $labels.namespace }}/{{ $labels.deployment }} still runs pods of the former version.',
      remediation: 'See why new pods do not become ready, or roll back (`kubectl rollout undo`).',
      proof: {
        at: '17m',
        labels: DEPLOYMENT_LABELS,
        fires: [
          [`kube_deployment_spec_replicas{${DEPLOYMENT}}`, '3x20'],
          [`kube_deployment_status_replicas_updated{${DEPLOYMENT}}`, '1x20'],
        ],
        quiet: [
          [`kube_deployment_metadata_generation{${DEPLOYMENT}}`, '7x20'],
          [`kube_deployment_status_observed_generation{${DEPLOYMENT}}`, '6x8 7x12'],
          [`kube_deployment_spec_replicas{${DEPLOYMENT}}`, '3x20'],
          [`kube_deployment_status_replicas_updated{${DEPLOYMENT}}`, '1x8 3x12'],
        ],
      },
    },
  ];
}

function exporters(): AlertRule[] {
  return [
    {
      alert: 'ExporterDown',
      severity: 'warning',
      category: 'meta',
      // What has an alert of its own is left out.
      expr: 'max by (job, instance) (up{job!~"applications|postgres|redis|rabbitmq|alertgest"}) == 0',
      for: '10m',
      summary: '{{ $labels.job }} gives no metrics',
      description:
        '{{ $labels.instance }} cannot be scraped, so every alert that is made of its metrics keeps silent.',
      remediation:
        'Is the exporter running and the machine on? Look at the error of the target in Prometheus.',
      proof: {
        at: '12m',
        labels: { job: 'nas', instance: 'nas' },
        fires: [['up{job="nas",instance="nas"}', '0x20']],
        quiet: [
          ['up{job="nas",instance="nas"}', '0x8 1x20'],
          ['up{job="applications",instance="10.42.0.7:8080"}', '0x20'],
        ],
      },
    },
  ];
}
