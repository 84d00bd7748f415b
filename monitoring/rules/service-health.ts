/** Alerts about what people use: is it there, is it right, is it fast, is its certificate good. */
import type { Variables } from '../variables.ts';
import { oneLine } from './rule.ts';
import type { AlertRule, RuleGroup } from './rule.ts';

const BY_SERVICE = 'sum by (namespace, service)';
const SHOP = 'namespace="shop",service="api"';
const SHOP_LABELS = { namespace: 'shop', service: 'api' };
const JELLYFIN = 'namespace="media",service="jellyfin",instance="https://jellyfin.example.org"';
const JELLYFIN_LABELS = { namespace: 'media', service: 'jellyfin', instance: 'https://jellyfin.example.org' };
const CONTAINER = 'namespace="shop",pod="api-7d9f8b6c5-x2x7p",container="api"';
const CONTAINER_LABELS = { namespace: 'shop', pod: 'api-7d9f8b6c5-x2x7p', container: 'api' };
const DAY = 86_400;

/** The group "Service Health". */
export function serviceHealth(v: Variables): RuleGroup {
  return {
    name: 'Service Health',
    file: 'service-health',
    rules: [...reach(), ...answers(v), ...containers(v), ...certificates(v)],
  };
}

function reach(): AlertRule[] {
  return [
    {
      alert: 'ServiceDown',
      severity: 'critical',
      category: 'application',
      expr: 'max by (namespace, service) (up{job="applications"}) == 0',
      for: '2m',
      summary: '{{ $labels.service }} is down',
      description: 'No replica of {{ $labels.namespace }}/{{ $labels.service }} answers Prometheus.',
      remediation:
        'Look at the last rollout; roll back when it began with it, else restart one pod and read its log.',
      proof: {
        at: '3m',
        labels: SHOP_LABELS,
        fires: [
          [`up{job="applications",${SHOP},pod="api-1"}`, '0x10'],
          [`up{job="applications",${SHOP},pod="api-2"}`, '0x10'],
        ],
        quiet: [
          [`up{job="applications",${SHOP},pod="api-1"}`, '0x10'],
          [`up{job="applications",${SHOP},pod="api-2"}`, '1x10'],
        ],
      },
    },
    {
      alert: 'HTTPProbeFailed',
      severity: 'critical',
      category: 'application',
      expr: 'max by (namespace, service, instance) (probe_success{probe="http"}) == 0',
      for: '2m',
      summary: '{{ $labels.service }} cannot be reached',
      description: 'The probe of {{ $labels.instance }} fails from outside.',
      remediation:
        'Open the address yourself; then follow the request: name, certificate, ingress, service, pod.',
      proof: {
        at: '3m',
        labels: JELLYFIN_LABELS,
        fires: [[`probe_success{probe="http",${JELLYFIN}}`, '0x10']],
        quiet: [[`probe_success{probe="http",${JELLYFIN}}`, '0 1 0 1 0 1 0 1']],
      },
    },
    {
      alert: 'TLSProbeFailed',
      severity: 'warning',
      category: 'security',
      expr: oneLine(`max by (namespace, service, instance) (probe_success{probe="tls"} == bool 0) == 1
        or max by (namespace, service, instance) (probe_tls_version_info{probe="tls",version=~"TLS 1.[01]"}) == 1`),
      for: '5m',
      summary: 'TLS of {{ $labels.service }} is misconfigured',
      description:
        '{{ $labels.instance }}: the handshake fails, the certificate is not trusted, or the version is old.',
      remediation:
        'Compare the chain that is served with the Secret of the Ingress; reissue by cert-manager.',
      proof: {
        at: '6m',
        labels: JELLYFIN_LABELS,
        fires: [
          [`probe_success{probe="tls",${JELLYFIN}}`, '1x10'],
          [`probe_tls_version_info{probe="tls",version="TLS 1.1",${JELLYFIN}}`, '1x10'],
        ],
        quiet: [
          [`probe_success{probe="tls",${JELLYFIN}}`, '1x10'],
          [`probe_tls_version_info{probe="tls",version="TLS 1.3",${JELLYFIN}}`, '1x10'],
        ],
      },
    },
  ];
}

function answers(v: Variables): AlertRule[] {
  const errorShare = `100 * ${BY_SERVICE} (rate(http_requests_total{status=~"5.."}[5m])) / ${BY_SERVICE} (rate(http_requests_total[5m]))`;
  const quantile = (q: number): string =>
    `histogram_quantile(${q}, sum by (namespace, service, le) (rate(http_request_duration_seconds_bucket[5m])))`;
  const requests = (good: string, bad: string): [string, string][] => [
    [`http_requests_total{${SHOP},method="GET",route="/",status="200"}`, good],
    [`http_requests_total{${SHOP},method="GET",route="/",status="502"}`, bad],
  ];
  const durations = (labels: string, name: string, slow: string, le: string): [string, string][] => [
    [`${name}{${labels},le="1"}`, '0+60x30'],
    [`${name}{${labels},le="${le}"}`, slow],
    [`${name}{${labels},le="4"}`, '0+100x30'],
    [`${name}{${labels},le="+Inf"}`, '0+100x30'],
  ];
  return [
    {
      alert: 'HighErrorRate',
      severity: 'warning',
      category: 'application',
      expr: `${errorShare} > ${v.alert_error_rate_threshold}`,
      for: '5m',
      summary: '{{ $labels.service }} answers with errors',
      description:
        '{{ $value | printf "%.1f" }} % of the requests to {{ $labels.namespace }}/{{ $labels.service }} end with 5xx.',
      remediation: 'Find the route and the first error in the log; roll back when it began with a rollout.',
      proof: {
        at: '12m',
        labels: SHOP_LABELS,
        value: '2.0',
        fires: requests('0+98x30', '0+2x30'),
        quiet: requests('0+995x30', '0+5x30'),
      },
    },
    {
      alert: 'CriticalErrorRate',
      severity: 'critical',
      category: 'application',
      expr: `${errorShare} > ${v.alert_error_rate_critical_threshold}`,
      for: '2m',
      summary: '{{ $labels.service }} fails for many',
      description:
        '{{ $value | printf "%.1f" }} % of the requests to {{ $labels.namespace }}/{{ $labels.service }} end with 5xx.',
      remediation: 'Roll back the last change first, look for the cause after.',
      proof: {
        at: '10m',
        labels: SHOP_LABELS,
        value: '10.0',
        fires: requests('0+90x30', '0+10x30'),
        quiet: requests('0+96x30', '0+4x30'),
      },
    },
    {
      alert: 'HighLatency',
      severity: 'warning',
      category: 'application',
      expr: `${quantile(0.95)} > ${v.alert_latency_p95_seconds}`,
      for: '10m',
      summary: '{{ $labels.service }} is slow',
      description:
        'One request in twenty to {{ $labels.namespace }}/{{ $labels.service }} takes longer than {{ $value | humanizeDuration }}.',
      remediation:
        'Look at saturation first (CPU throttling, connections, queue); add a replica when it is load.',
      proof: {
        at: '17m',
        labels: SHOP_LABELS,
        value: '3s',
        fires: durations(SHOP, 'http_request_duration_seconds_bucket', '0+90x30', '2'),
        quiet: durations(SHOP, 'http_request_duration_seconds_bucket', '0+96x30', '2'),
      },
    },
    {
      alert: 'SlowResponseTime',
      severity: 'warning',
      category: 'application',
      expr: `${quantile(0.99)} > ${v.alert_latency_p99_seconds}`,
      for: '10m',
      summary: 'Some requests to {{ $labels.service }} are very slow',
      description:
        'One request in a hundred to {{ $labels.namespace }}/{{ $labels.service }} takes longer than {{ $value | humanizeDuration }}.',
      remediation: 'Find the slow route; look for locks, missing indexes and calls without a timeout.',
      proof: {
        at: '17m',
        labels: SHOP_LABELS,
        value: '3s',
        fires: durations(SHOP, 'http_request_duration_seconds_bucket', '0+98x30', '2'),
        quiet: durations(SHOP, 'http_request_duration_seconds_bucket', '0+100x30', '2'),
      },
    },
    {
      alert: 'IngressLatencyHigh',
      severity: 'warning',
      category: 'network',
      expr: `histogram_quantile(0.95, sum by (service, le) (rate(traefik_service_request_duration_seconds_bucket[5m]))) > ${v.alert_ingress_latency_p95_seconds}`,
      for: '5m',
      summary: 'The ingress to {{ $labels.service }} is slow',
      description:
        'Through Traefik one request in twenty to {{ $labels.service }} takes longer than {{ $value | humanizeDuration }}.',
      remediation:
        'Scale the replica set; then check the Traefik middlewares of the route (retry, auth, rate limit).',
      proof: {
        at: '12m',
        labels: { service: 'media-jellyfin-8096@kubernetes' },
        value: '2.75s',
        fires: durations(
          'service="media-jellyfin-8096@kubernetes"',
          'traefik_service_request_duration_seconds_bucket',
          '0+90x30',
          '1.5',
        ),
        quiet: durations(
          'service="media-jellyfin-8096@kubernetes"',
          'traefik_service_request_duration_seconds_bucket',
          '0+97x30',
          '1.5',
        ),
      },
    },
  ];
}

function containers(v: Variables): AlertRule[] {
  const by = 'sum by (namespace, pod, container)';
  const limit = (resource: string): string =>
    `${by} (kube_pod_container_resource_limits{resource="${resource}"})`;
  const limitSeries = (resource: string, value: string): [string, string] => [
    `kube_pod_container_resource_limits{${CONTAINER},resource="${resource}"}`,
    value,
  ];
  return [
    {
      alert: 'ServiceHighMemory',
      severity: 'warning',
      category: 'workload',
      expr: `100 * ${by} (container_memory_working_set_bytes{container!=""}) / ${limit('memory')} > ${v.alert_service_memory_threshold}`,
      for: '10m',
      summary: '{{ $labels.container }} nears its memory limit',
      description:
        '{{ $labels.namespace }}/{{ $labels.pod }} uses {{ $value | printf "%.0f" }} % of its memory limit; at 100 % it is killed.',
      remediation: 'Raise the limit when the use is honest; look for a leak when it only ever grows.',
      proof: {
        at: '12m',
        labels: CONTAINER_LABELS,
        value: '90',
        fires: [
          [`container_memory_working_set_bytes{${CONTAINER}}`, '900x20'],
          limitSeries('memory', '1000x20'),
        ],
        quiet: [
          [`container_memory_working_set_bytes{${CONTAINER}}`, '840x20'],
          limitSeries('memory', '1000x20'),
        ],
      },
    },
    {
      alert: 'ServiceHighCPU',
      severity: 'warning',
      category: 'workload',
      expr: `100 * ${by} (rate(container_cpu_usage_seconds_total{container!=""}[5m])) / ${limit('cpu')} > ${v.alert_service_cpu_threshold}`,
      for: '10m',
      summary: '{{ $labels.container }} nears its CPU limit',
      description:
        '{{ $labels.namespace }}/{{ $labels.pod }} uses {{ $value | printf "%.0f" }} % of its CPU limit and is being throttled.',
      remediation: 'Add a replica or raise the limit; profile when the load did not grow.',
      proof: {
        at: '17m',
        labels: CONTAINER_LABELS,
        value: '90',
        fires: [[`container_cpu_usage_seconds_total{${CONTAINER}}`, '0+54x30'], limitSeries('cpu', '1x30')],
        quiet: [[`container_cpu_usage_seconds_total{${CONTAINER}}`, '0+48x30'], limitSeries('cpu', '1x30')],
      },
    },
  ];
}

function certificates(v: Variables): AlertRule[] {
  const days = oneLine(`(min by (namespace, service, instance) (probe_ssl_earliest_cert_expiry)
    or min by (namespace, name) (certmanager_certificate_expiration_timestamp_seconds))`);
  const expiry = (left: number): [string, string] => [
    `certmanager_certificate_expiration_timestamp_seconds{namespace="media",name="jellyfin-tls"}`,
    `${left * DAY}x120`,
  ];
  const labels = { namespace: 'media', name: 'jellyfin-tls' };
  return [
    {
      alert: 'CertificateExpiringSoon',
      severity: 'warning',
      category: 'security',
      expr: `(${days} - time()) / ${DAY} < ${v.alert_certificate_days}`,
      for: '1h',
      summary: 'A certificate expires soon: {{ $labels.instance }}{{ $labels.name }}',
      description:
        'It holds for {{ $value | printf "%.0f" }} more days; renewal should have happened by now.',
      remediation:
        'Look at the Certificate and its Order; the usual causes are DNS and the rate limit of the issuer.',
      proof: { at: '70m', labels, value: '20', fires: [expiry(20)], quiet: [expiry(31)] },
    },
    {
      alert: 'CertificateExpiryCritical',
      severity: 'critical',
      category: 'security',
      expr: `(${days} - time()) / ${DAY} < ${v.alert_certificate_critical_days}`,
      for: '1h',
      summary: 'A certificate is about to expire: {{ $labels.instance }}{{ $labels.name }}',
      description:
        'It holds for {{ $value | printf "%.0f" }} more days; then every client refuses to connect.',
      remediation: 'Renew it now by hand (`cmctl renew`), then find out why that did not happen by itself.',
      proof: { at: '70m', labels, value: '3', fires: [expiry(3)], quiet: [expiry(8)] },
    },
  ];
}
