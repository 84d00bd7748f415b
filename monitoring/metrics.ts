/**
 * The metric contract: every metric that a rule or a dashboard may use, who produces it and with which labels. A query
 * about anything else fails the tests. `/metrics` of the console serves the family `alertgest`.
 */

import { OWN_METRICS } from '../shared/metrics.ts';

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'info';

export interface Metric {
  readonly name: string;
  readonly type: MetricType;
  /** Own labels; those of the target come on top (`TARGET_LABELS`). */
  readonly labels: readonly string[];
  readonly exporter: string;
  readonly help: string;
}

/** Labels that scraping adds to every series. */
export const TARGET_LABELS: readonly string[] = [
  'job',
  'instance',
  'namespace',
  'pod',
  'service',
  'node',
  'cluster',
];

type Row = readonly [name: string, type: MetricType, labels: string, help: string];

function family(exporter: string, rows: readonly Row[]): Metric[] {
  return rows.map(([name, type, labels, help]) => ({
    name,
    type,
    labels: labels === '' ? [] : labels.split(' '),
    exporter,
    help,
  }));
}

/** What the console serves from Postgres, as shared/metrics.ts has it: it survives scaling to zero. */
export const ALERTGEST_METRICS: readonly Metric[] = OWN_METRICS.map(({ name, type, labels, help }) => ({
  name,
  type,
  labels: Object.keys(labels),
  exporter: 'alertgest',
  help,
}));

/** The application contract: what a service of yours must count so that its rules and panels work. */
export const APPLICATION_METRICS: readonly Metric[] = family('application', [
  [
    'http_requests_total',
    'counter',
    'method route status',
    'Requests answered; route is the template, never the path',
  ],
  [
    'http_request_duration_seconds',
    'histogram',
    'method route',
    'Duration of requests; buckets must hold 1, 2 and 4 seconds',
  ],
  ['http_requests_in_flight', 'gauge', '', 'Requests being answered'],
  ['db_connection_errors_total', 'counter', 'database', 'Connections to the database that failed'],
  ['db_pool_connections', 'gauge', 'database state', 'Connections of the pool; state is used or idle'],
  [
    'applications_total',
    'counter',
    'result',
    'Job applications sent; result is success or failure, both from the start',
  ],
  [
    'ai_requests_total',
    'counter',
    'provider result',
    'Requests to AI providers; result is success, failure or rate_limited',
  ],
  ['users_active', 'gauge', '', 'Users with a running subscription or a visit within 30 days'],
  ['users_churned_total', 'counter', '', 'Users who left'],
  [
    'payments_total',
    'counter',
    'provider result',
    'Payments; result is success or failure, both from the start',
  ],
]);

const NODE = family('node-exporter', [
  ['node_cpu_seconds_total', 'counter', 'cpu mode', 'CPU time by mode'],
  ['node_load5', 'gauge', '', 'Load over five minutes'],
  ['node_memory_MemAvailable_bytes', 'gauge', '', 'Memory that programs can still have'],
  ['node_memory_MemTotal_bytes', 'gauge', '', 'Memory of the machine'],
  ['node_filesystem_avail_bytes', 'gauge', 'device fstype mountpoint', 'Room that users can still have'],
  ['node_filesystem_size_bytes', 'gauge', 'device fstype mountpoint', 'Size of the file system'],
  ['node_disk_read_bytes_total', 'counter', 'device', 'Bytes read'],
  ['node_disk_written_bytes_total', 'counter', 'device', 'Bytes written'],
  ['node_disk_io_time_seconds_total', 'counter', 'device', 'Time the disk was busy'],
  ['node_network_receive_bytes_total', 'counter', 'device', 'Bytes received'],
  ['node_network_transmit_bytes_total', 'counter', 'device', 'Bytes sent'],
  ['node_hwmon_temp_celsius', 'gauge', 'chip sensor', 'Temperatures of the mainboard'],
  ['node_boot_time_seconds', 'gauge', '', 'When the machine started'],
]);

const KUBERNETES = [
  ...family('kube-state-metrics', [
    ['kube_node_info', 'info', 'kubelet_version os_image', 'The nodes'],
    ['kube_node_status_condition', 'gauge', 'condition status', 'Conditions of nodes'],
    ['kube_node_status_allocatable', 'gauge', 'resource unit', 'What pods can have on a node'],
    ['kube_pod_info', 'info', 'host_ip created_by_kind created_by_name', 'The pods and their nodes'],
    ['kube_pod_owner', 'gauge', 'owner_kind owner_name', 'Who owns a pod'],
    ['kube_pod_status_phase', 'gauge', 'phase', 'Phases of pods'],
    ['kube_pod_status_ready', 'gauge', 'condition', 'Readiness of pods'],
    ['kube_pod_container_status_restarts_total', 'counter', 'container', 'Restarts of containers'],
    ['kube_pod_container_status_waiting_reason', 'gauge', 'container reason', 'Why containers wait'],
    ['kube_pod_container_status_last_terminated_reason', 'gauge', 'container reason', 'Why containers ended'],
    ['kube_pod_container_resource_requests', 'gauge', 'container resource unit', 'Requests of containers'],
    ['kube_pod_container_resource_limits', 'gauge', 'container resource unit', 'Limits of containers'],
    ['kube_deployment_spec_replicas', 'gauge', 'deployment', 'Replicas wanted'],
    ['kube_deployment_status_replicas_available', 'gauge', 'deployment', 'Replicas available'],
    ['kube_deployment_status_replicas_updated', 'gauge', 'deployment', 'Replicas of the new version'],
    ['kube_deployment_metadata_generation', 'gauge', 'deployment', 'Generation wanted'],
    [
      'kube_deployment_status_observed_generation',
      'gauge',
      'deployment',
      'Generation seen by the controller',
    ],
    ['kube_job_failed', 'gauge', 'job_name condition', 'Jobs that failed'],
    ['kube_cronjob_status_last_successful_time', 'gauge', 'cronjob', 'When a CronJob last succeeded'],
    [
      'kube_persistentvolumeclaim_resource_requests_storage_bytes',
      'gauge',
      'persistentvolumeclaim',
      'Size asked for',
    ],
  ]),
  ...family('kubelet', [
    ['container_cpu_usage_seconds_total', 'counter', 'container', 'CPU time of containers'],
    [
      'container_cpu_cfs_throttled_periods_total',
      'counter',
      'container',
      'Periods in which a container was throttled',
    ],
    ['container_cpu_cfs_periods_total', 'counter', 'container', 'Periods of containers with a limit'],
    ['container_memory_working_set_bytes', 'gauge', 'container', 'Memory that counts for limits'],
    ['container_network_receive_bytes_total', 'counter', 'interface', 'Bytes received by pods'],
    ['container_network_transmit_bytes_total', 'counter', 'interface', 'Bytes sent by pods'],
    ['kubelet_volume_stats_available_bytes', 'gauge', 'persistentvolumeclaim', 'Room left in volumes'],
    ['kubelet_volume_stats_capacity_bytes', 'gauge', 'persistentvolumeclaim', 'Size of volumes'],
    ['kubelet_running_pods', 'gauge', '', 'Pods on a node'],
  ]),
  ...family('kube-apiserver', [
    ['apiserver_request_total', 'counter', 'verb code resource', 'Requests to the API server'],
    [
      'apiserver_request_duration_seconds',
      'histogram',
      'verb resource',
      'Duration of requests to the API server',
    ],
  ]),
  ...family('cert-manager', [
    [
      'certmanager_certificate_expiration_timestamp_seconds',
      'gauge',
      'name issuer_name',
      'When certificates expire',
    ],
  ]),
];

const HARDWARE = [
  ...family('smartctl-exporter', [
    ['smartctl_device_smart_status', 'gauge', 'device', '1 when the disk says it is well'],
    ['smartctl_device_temperature', 'gauge', 'device temperature_type', 'Temperature of the disk'],
    ['smartctl_device_percentage_used', 'gauge', 'device', 'Wear of a solid-state disk'],
    ['smartctl_device_media_errors', 'counter', 'device', 'Errors of the medium'],
    ['smartctl_device_power_on_seconds', 'counter', 'device', 'Time the disk has run'],
    ['smartctl_device_attribute', 'gauge', 'device attribute_name attribute_value_type', 'SMART attributes'],
  ]),
  ...family('snmp-exporter', [
    ['upsAdvBatteryCapacity', 'gauge', '', 'Charge of the battery in percent (PowerNet-MIB)'],
    ['upsAdvBatteryTemperature', 'gauge', '', 'Temperature of the battery'],
    ['upsAdvOutputLoad', 'gauge', '', 'Load of the UPS in percent'],
    ['upsAdvOutputActivePower', 'gauge', '', 'Power drawn in watts'],
    ['ifHCInOctets', 'counter', 'ifIndex ifName', 'Bytes received by a switch port (IF-MIB)'],
    ['ifHCOutOctets', 'counter', 'ifIndex ifName', 'Bytes sent by a switch port'],
  ]),
  ...family('zfs-exporter', [
    [
      'zfs_pool_health',
      'gauge',
      'pool',
      '0 is ONLINE, 1 DEGRADED, 2 FAULTED, 3 OFFLINE, 4 UNAVAIL, 5 REMOVED, 6 SUSPENDED',
    ],
    ['zfs_pool_allocated_bytes', 'gauge', 'pool', 'Bytes used'],
    ['zfs_pool_size_bytes', 'gauge', 'pool', 'Size of the pool'],
    ['zfs_pool_fragmentation_ratio', 'gauge', 'pool', 'Fragmentation'],
  ]),
  ...family('borg-metrics', [
    [
      'borg_backup_exit_code',
      'gauge',
      'backup repository',
      'How Borg ended: 0 well, 1 with warnings, 2 and above with an error',
    ],
    ['borg_backup_duration_seconds', 'gauge', 'backup repository', 'How long the last run took'],
    ['borg_backup_original_bytes', 'gauge', 'backup repository', 'Bytes of the files'],
    ['borg_backup_compressed_bytes', 'gauge', 'backup repository', 'Bytes after compression'],
    [
      'borg_backup_deduplicated_bytes',
      'gauge',
      'backup repository',
      'Bytes that were new in the repository: what was transferred',
    ],
    ['borg_backup_files', 'gauge', 'backup repository', 'Files in the archive'],
    [
      'borg_backup_changed_files',
      'gauge',
      'backup repository change',
      'Files that differ from the archive before; change is added, removed or modified',
    ],
    ['borg_backup_last_run_timestamp_seconds', 'gauge', 'backup repository', 'When the last run ended'],
    [
      'borg_backup_last_success_timestamp_seconds',
      'gauge',
      'backup repository',
      'When the last good run ended',
    ],
  ]),
];

const NETWORK = [
  ...family('traefik', [
    ['traefik_service_requests_total', 'counter', 'code method protocol', 'Requests by service'],
    ['traefik_service_request_duration_seconds', 'histogram', 'code method protocol', 'Duration by service'],
    [
      'traefik_entrypoint_requests_total',
      'counter',
      'entrypoint code method protocol',
      'Requests by entry point',
    ],
    ['traefik_open_connections', 'gauge', 'entrypoint protocol', 'Open connections'],
  ]),
  ...family('blackbox-exporter', [
    ['probe_success', 'gauge', 'probe', '1 when the probe succeeded; probe is http or tls'],
    ['probe_duration_seconds', 'gauge', 'probe', 'How long the probe took'],
    ['probe_http_status_code', 'gauge', 'probe', 'The answer'],
    ['probe_ssl_earliest_cert_expiry', 'gauge', 'probe', 'When the first certificate of the chain expires'],
    ['probe_tls_version_info', 'info', 'probe version', 'The version of TLS'],
  ]),
];

const STORES = [
  ...family('postgres-exporter', [
    ['pg_up', 'gauge', '', '1 when PostgreSQL answers'],
    ['pg_stat_activity_count', 'gauge', 'datname state', 'Connections'],
    ['pg_settings_max_connections', 'gauge', '', 'The maximum of connections'],
    ['pg_replication_lag_seconds', 'gauge', '', 'How far a replica is behind'],
    ['pg_database_size_bytes', 'gauge', 'datname', 'Size of databases'],
    ['pg_stat_database_xact_commit', 'counter', 'datname', 'Transactions committed'],
    ['pg_stat_database_xact_rollback', 'counter', 'datname', 'Transactions rolled back'],
    ['pg_stat_database_deadlocks', 'counter', 'datname', 'Deadlocks'],
  ]),
  ...family('mysqld-exporter', [
    ['mysql_global_status_threads_connected', 'gauge', '', 'Connections'],
    ['mysql_global_variables_max_connections', 'gauge', '', 'The maximum of connections'],
  ]),
  ...family('redis-exporter', [
    ['redis_up', 'gauge', '', '1 when Redis answers'],
    ['redis_memory_used_bytes', 'gauge', '', 'Memory used'],
    ['redis_memory_max_bytes', 'gauge', '', 'maxmemory, 0 when there is none'],
    ['redis_connected_clients', 'gauge', '', 'Clients'],
    ['redis_commands_processed_total', 'counter', '', 'Commands'],
    ['redis_evicted_keys_total', 'counter', '', 'Keys evicted for room'],
  ]),
  ...family('rabbitmq', [
    ['rabbitmq_detailed_queue_messages_ready', 'gauge', 'vhost queue', 'Messages that wait'],
    [
      'rabbitmq_detailed_queue_messages_unacked',
      'gauge',
      'vhost queue',
      'Messages delivered and not acknowledged',
    ],
    ['rabbitmq_detailed_queue_consumers', 'gauge', 'vhost queue', 'Consumers'],
    ['rabbitmq_connections', 'gauge', '', 'Connections'],
  ]),
];

const STACK = [
  ...family('prometheus', [
    ['up', 'gauge', '', '1 when the target was scraped'],
    ['scrape_duration_seconds', 'gauge', '', 'How long the scrape took'],
    ['ALERTS', 'gauge', 'alertname alertstate severity category', 'Alerts that are pending or firing'],
    ['prometheus_tsdb_head_series', 'gauge', '', 'Series in memory'],
    ['prometheus_tsdb_head_samples_appended_total', 'counter', 'type', 'Samples taken in'],
    ['prometheus_tsdb_symbol_table_size_bytes', 'gauge', '', 'Size of the symbol tables in memory'],
    ['prometheus_tsdb_storage_blocks_bytes', 'gauge', '', 'Bytes of the blocks on disk'],
    [
      'prometheus_rule_evaluation_duration_seconds',
      'gauge',
      'quantile',
      'Duration of rule evaluations, a summary',
    ],
    [
      'prometheus_rule_group_last_duration_seconds',
      'gauge',
      'rule_group',
      'Duration of the last evaluation of a group',
    ],
    [
      'prometheus_rule_evaluation_failures_total',
      'counter',
      'rule_group',
      'Rules that could not be evaluated',
    ],
    ['prometheus_notifications_dropped_total', 'counter', '', 'Alerts that reached no Alertmanager'],
    [
      'prometheus_target_interval_length_seconds',
      'gauge',
      'interval quantile',
      'Time between scrapes, a summary',
    ],
    ['process_resident_memory_bytes', 'gauge', '', 'Memory of a process'],
  ]),
  ...family('alertmanager', [
    ['alertmanager_alerts', 'gauge', 'state', 'Alerts; state is active, suppressed or unprocessed'],
    ['alertmanager_alerts_received_total', 'counter', 'status version', 'Alerts received'],
    ['alertmanager_alerts_invalid_total', 'counter', 'version', 'Alerts refused'],
    ['alertmanager_notifications_total', 'counter', 'integration', 'Notifications tried'],
    ['alertmanager_notifications_failed_total', 'counter', 'integration reason', 'Notifications that failed'],
    ['alertmanager_notification_latency_seconds', 'histogram', 'integration', 'Duration of notifications'],
    ['alertmanager_silences', 'gauge', 'state', 'Silences'],
    ['alertmanager_cluster_members', 'gauge', '', 'Members of the cluster'],
    ['alertmanager_cluster_failed_peers', 'gauge', '', 'Members that do not answer'],
  ]),
  ...family('loki', [
    ['loki_distributor_bytes_received_total', 'counter', 'tenant', 'Bytes of log lines taken in'],
    ['loki_distributor_lines_received_total', 'counter', 'tenant', 'Log lines taken in'],
    [
      'loki_request_duration_seconds',
      'histogram',
      'method route status_code',
      'Duration of requests to Loki',
    ],
  ]),
  ...family('alloy', [
    [
      'loki_write_dropped_entries_total',
      'counter',
      'host reason',
      'Log lines that were not delivered to Loki',
    ],
    ['loki_write_sent_entries_total', 'counter', 'host', 'Log lines delivered to Loki'],
  ]),
];

/** The whole contract. */
export const METRICS: readonly Metric[] = [
  ...ALERTGEST_METRICS,
  ...APPLICATION_METRICS,
  ...NODE,
  ...KUBERNETES,
  ...HARDWARE,
  ...NETWORK,
  ...STORES,
  ...STACK,
];

/** The metric that a series belongs to: a histogram also writes `_bucket`, `_sum` and `_count`. */
export function findMetric(series: string): Metric | undefined {
  return METRICS.find(
    ({ name, type }) =>
      name === series ||
      (type === 'histogram' && [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(series)),
  );
}
