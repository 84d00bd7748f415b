/** Dashboards about services: media and uptime, golden signals, API performance, stores, business, backups. */
import { graph, logs, stat, table, uptime } from './panel.ts';
import type { Dashboard } from './panel.ts';

const SERVICE = { name: 'service', query: 'label_values(http_requests_total, service)' };
const MEDIA = 'jellyfin|qbittorrent|sabnzbd|sonarr|radarr';
const quantile = (q: number): string =>
  `histogram_quantile(${q}, sum by (service, le) (rate(http_request_duration_seconds_bucket{service=~"$service"}[$__rate_interval])))`;
const ERROR_SHARE =
  'sum by (service) (rate(http_requests_total{status=~"5..",service=~"$service"}[$__rate_interval])) / sum by (service) (rate(http_requests_total{service=~"$service"}[$__rate_interval]))';

/** Jellyfin, qBittorrent, Sabnzbd, Sonarr and Radarr. */
export const mediaServices: Dashboard = {
  uid: 'ag-media',
  title: 'Media services and uptime',
  owner: 'media',
  answers: 'Were Jellyfin, qBittorrent, Sabnzbd, Sonarr and Radarr there, and what did each use?',
  tags: ['services', 'media'],
  from: 'now-7d',
  choices: [{ name: 'service', query: 'label_values(probe_success{probe="http"}, service)' }],
  rows: [
    {
      title: 'Uptime',
      panels: [
        uptime(
          'Reachable',
          'min by (service) (probe_success{probe="http",service=~"$service"})',
          '{{service}}',
        ),
        table(
          'Uptime over 30 days',
          'percentunit',
          `sort(avg by (service) (avg_over_time(probe_success{probe="http",service=~"$service"}[30d])))`,
        ),
        graph('Time to answer', 's', [
          'avg by (service) (probe_duration_seconds{probe="http",service=~"$service"})',
          '{{service}}',
        ]),
        graph('Answers', 'none', [
          'max by (service) (probe_http_status_code{probe="http",service=~"$service"})',
          '{{service}}',
        ]),
        graph('Certificates: days left', 'd', [
          '(min by (service) (probe_ssl_earliest_cert_expiry{service=~"$service"}) - time()) / 86400',
          '{{service}}',
        ]),
      ],
    },
    {
      title: 'What they use',
      panels: [
        graph('CPU', 'short', [
          `sum by (container) (rate(container_cpu_usage_seconds_total{container=~"${MEDIA}"}[$__rate_interval]))`,
          '{{container}}',
        ]),
        graph('Memory', 'bytes', [
          `sum by (container) (container_memory_working_set_bytes{container=~"${MEDIA}"})`,
          '{{container}}',
        ]),
        graph('Restarts a day', 'short', [
          `sum by (container) (increase(kube_pod_container_status_restarts_total{container=~"${MEDIA}"}[1d]))`,
          '{{container}}',
        ]),
        graph('Volumes', 'percent', [
          '100 * (1 - max by (persistentvolumeclaim) (kubelet_volume_stats_available_bytes{namespace="media"}) / max by (persistentvolumeclaim) (kubelet_volume_stats_capacity_bytes{namespace="media"}))',
          '{{persistentvolumeclaim}}',
        ]),
      ],
    },
    { title: 'Logs', panels: [logs('Media services', '{namespace="media", app=~"$service"}')] },
  ],
};

/** Latency, traffic, errors, saturation. */
export const goldenSignals: Dashboard = {
  uid: 'ag-golden-signals',
  title: 'Golden signals',
  owner: 'platform',
  answers: 'Latency, traffic, errors and saturation of ingress and applications.',
  tags: ['services'],
  choices: [SERVICE],
  rows: [
    {
      title: 'Ingress',
      panels: [
        graph('Latency, 95th percentile', 's', [
          'histogram_quantile(0.95, sum by (service, le) (rate(traefik_service_request_duration_seconds_bucket[$__rate_interval])))',
          '{{service}}',
        ]),
        graph('Traffic', 'reqps', [
          'sum by (service) (rate(traefik_service_requests_total[$__rate_interval]))',
          '{{service}}',
        ]),
        graph('Errors', 'percentunit', [
          'sum by (service) (rate(traefik_service_requests_total{code=~"5.."}[$__rate_interval])) / sum by (service) (rate(traefik_service_requests_total[$__rate_interval]))',
          '{{service}}',
        ]),
        graph('Saturation: open connections', 'short', [
          'sum by (entrypoint) (traefik_open_connections)',
          '{{entrypoint}}',
        ]),
      ],
    },
    {
      title: 'Applications',
      panels: [
        graph('Latency, 95th percentile', 's', [quantile(0.95), '{{service}}']),
        graph('Traffic', 'reqps', [
          'sum by (service) (rate(http_requests_total{service=~"$service"}[$__rate_interval]))',
          '{{service}}',
        ]),
        graph('Errors', 'percentunit', [ERROR_SHARE, '{{service}}']),
        graph('Saturation: requests in flight', 'short', [
          'sum by (service) (http_requests_in_flight{service=~"$service"})',
          '{{service}}',
        ]),
        graph('Saturation: memory against the limit', 'percentunit', [
          'max by (namespace, pod, container) (container_memory_working_set_bytes{container!=""}) / max by (namespace, pod, container) (kube_pod_container_resource_limits{resource="memory"}) > 0.5',
          '{{namespace}} {{pod}}',
        ]),
        graph('Saturation: throttled', 'percentunit', [
          'sum by (namespace, pod) (rate(container_cpu_cfs_throttled_periods_total[$__rate_interval])) / sum by (namespace, pod) (rate(container_cpu_cfs_periods_total[$__rate_interval])) > 0.05',
          '{{namespace}} {{pod}}',
        ]),
      ],
    },
  ],
};

/** Routes and status codes of the APIs. */
export const apiPerformance: Dashboard = {
  uid: 'ag-api',
  title: 'API performance',
  owner: 'platform',
  answers: 'Which route is slow, which fails, since when?',
  tags: ['services'],
  choices: [SERVICE],
  rows: [
    {
      title: 'Now',
      panels: [
        stat('Requests', 'reqps', 'sum(rate(http_requests_total{service=~"$service"}[5m]))'),
        stat(
          'Errors',
          'percentunit',
          'sum(rate(http_requests_total{status=~"5..",service=~"$service"}[5m])) / sum(rate(http_requests_total{service=~"$service"}[5m]))',
          [0.01, 0.05],
        ),
        stat(
          '95th percentile',
          's',
          'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{service=~"$service"}[5m])))',
          [1, 2],
        ),
        stat(
          '99th percentile',
          's',
          'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{service=~"$service"}[5m])))',
          [1.5, 2],
        ),
      ],
    },
    {
      title: 'By route',
      panels: [
        graph('Requests by status', 'reqps', [
          'sum by (status) (rate(http_requests_total{service=~"$service"}[$__rate_interval]))',
          '{{status}}',
        ]),
        graph(
          'Percentiles',
          's',
          [quantile(0.5), 'half {{service}}'],
          [quantile(0.95), '95 % {{service}}'],
          [quantile(0.99), '99 % {{service}}'],
        ),
        table(
          'Slowest routes',
          's',
          'topk(10, histogram_quantile(0.95, sum by (service, method, route, le) (rate(http_request_duration_seconds_bucket{service=~"$service"}[1h]))))',
        ),
        table(
          'Routes that fail',
          'reqps',
          'topk(10, sum by (service, method, route) (rate(http_requests_total{status=~"5..",service=~"$service"}[1h])))',
        ),
        graph('Connection pool', 'short', [
          'sum by (service, database, state) (db_pool_connections{service=~"$service"})',
          '{{service}} {{database}} {{state}}',
        ]),
        graph('Connection errors', 'short', [
          'sum by (service, database) (increase(db_connection_errors_total{service=~"$service"}[5m]))',
          '{{service}} {{database}}',
        ]),
      ],
    },
    { title: 'Logs', panels: [logs('Errors', '{app=~"$service"} |~ "(?i)error|exception|panic"')] },
  ],
};

/** PostgreSQL, MySQL, Redis and RabbitMQ. */
export const databaseAndQueue: Dashboard = {
  uid: 'ag-stores',
  title: 'Databases and queues',
  owner: 'database',
  answers: 'Are the stores up, how full are they, who waits?',
  tags: ['services', 'database'],
  rows: [
    {
      title: 'PostgreSQL',
      panels: [
        uptime('Up', 'min by (instance) (pg_up)', '{{instance}}'),
        graph(
          'Connections',
          'percent',
          [
            '100 * sum by (instance) (pg_stat_activity_count) / max by (instance) (pg_settings_max_connections)',
            '{{instance}}',
          ],
          [
            '100 * max by (instance) (mysql_global_status_threads_connected) / max by (instance) (mysql_global_variables_max_connections)',
            'MySQL {{instance}}',
          ],
        ),
        graph('Connections by state', 'short', [
          'sum by (instance, state) (pg_stat_activity_count)',
          '{{instance}} {{state}}',
        ]),
        graph(
          'Transactions',
          'ops',
          ['sum by (datname) (rate(pg_stat_database_xact_commit[$__rate_interval]))', 'commit {{datname}}'],
          [
            'sum by (datname) (rate(pg_stat_database_xact_rollback[$__rate_interval]))',
            'rollback {{datname}}',
          ],
        ),
        graph('Deadlocks', 'short', [
          'sum by (datname) (increase(pg_stat_database_deadlocks[1h]))',
          '{{datname}}',
        ]),
        graph('Replication lag', 's', ['max by (instance) (pg_replication_lag_seconds)', '{{instance}}']),
        graph('Size', 'bytes', ['max by (datname) (pg_database_size_bytes)', '{{datname}}']),
      ],
    },
    {
      title: 'Redis',
      panels: [
        uptime('Up', 'min by (instance) (redis_up)', '{{instance}}'),
        graph(
          'Memory',
          'bytes',
          ['max by (instance) (redis_memory_used_bytes)', 'used {{instance}}'],
          ['max by (instance) (redis_memory_max_bytes) > 0', 'maximum {{instance}}'],
        ),
        graph('Commands', 'ops', [
          'sum by (instance) (rate(redis_commands_processed_total[$__rate_interval]))',
          '{{instance}}',
        ]),
        graph('Clients', 'short', ['max by (instance) (redis_connected_clients)', '{{instance}}']),
        graph('Evictions', 'short', [
          'sum by (instance) (increase(redis_evicted_keys_total[5m]))',
          '{{instance}}',
        ]),
      ],
    },
    {
      title: 'RabbitMQ',
      panels: [
        graph('Waiting', 'short', [
          'sum by (vhost, queue) (rabbitmq_detailed_queue_messages_ready)',
          '{{vhost}} {{queue}}',
        ]),
        graph('Delivered, not acknowledged', 'short', [
          'sum by (vhost, queue) (rabbitmq_detailed_queue_messages_unacked)',
          '{{vhost}} {{queue}}',
        ]),
        graph('Consumers', 'short', [
          'sum by (vhost, queue) (rabbitmq_detailed_queue_consumers)',
          '{{vhost}} {{queue}}',
        ]),
        graph('Connections', 'short', ['sum by (instance) (rabbitmq_connections)', '{{instance}}']),
      ],
    },
  ],
};

/** What the business counts. */
export const business: Dashboard = {
  uid: 'ag-business',
  title: 'Business',
  owner: 'product',
  answers: 'Do applications succeed, do payments go through, do users stay?',
  tags: ['business'],
  from: 'now-7d',
  rows: [
    {
      title: 'Now',
      panels: [
        stat(
          'Applications that succeed',
          'percentunit',
          '1 - sum(increase(applications_total{result!="success"}[1d])) / sum(increase(applications_total[1d]))',
          [0.8, 0.7],
        ),
        stat(
          'Payments that fail',
          'percentunit',
          'sum(increase(payments_total{result!="success"}[1d])) / sum(increase(payments_total[1d]))',
          [0.02, 0.05],
        ),
        stat('Active users', 'short', 'max(users_active)'),
        stat(
          'Lost in a day',
          'percentunit',
          'sum(increase(users_churned_total[1d])) / max(users_active)',
          [0.05, 0.1],
        ),
      ],
    },
    {
      title: 'Trends',
      panels: [
        graph('Applications', 'short', ['sum by (result) (increase(applications_total[1h]))', '{{result}}']),
        graph('Payments', 'short', [
          'sum by (provider, result) (increase(payments_total[1h]))',
          '{{provider}} {{result}}',
        ]),
        graph('AI requests', 'short', [
          'sum by (provider, result) (increase(ai_requests_total[5m]))',
          '{{provider}} {{result}}',
        ]),
        graph(
          'Users',
          'short',
          ['max(users_active)', 'active'],
          ['sum(increase(users_churned_total[1d]))', 'left within a day'],
        ),
      ],
    },
  ],
};

/** Can we restore? */
export const backupAssurance: Dashboard = {
  uid: 'ag-backups',
  title: 'Backup assurance',
  owner: 'storage',
  answers: 'Did last night’s backup run, how did it end, how much did it carry, what changed?',
  tags: ['backup'],
  from: 'now-30d',
  rows: [
    {
      title: 'Now',
      panels: [
        stat('Backups that failed', 'short', 'count(borg_backup_exit_code > 1) or vector(0)', [1, 1]),
        stat('With warnings', 'short', 'count(borg_backup_exit_code == 1) or vector(0)', [1, 3]),
        stat(
          'Oldest good backup',
          's',
          'max(time() - borg_backup_last_success_timestamp_seconds)',
          [93_600, 172_800],
        ),
        stat(
          'Saved by compression and deduplication',
          'percentunit',
          '1 - sum(borg_backup_deduplicated_bytes) / sum(borg_backup_original_bytes)',
        ),
        table(
          'Last run',
          's',
          'time() - max by (backup, repository) (borg_backup_last_run_timestamp_seconds)',
        ),
        table('Exit codes', 'none', 'max by (backup, repository) (borg_backup_exit_code)'),
      ],
    },
    {
      title: 'Trends',
      panels: [
        graph('Duration', 's', [
          'max by (backup, repository) (borg_backup_duration_seconds)',
          '{{backup}} {{repository}}',
        ]),
        graph(
          'Transferred',
          'bytes',
          ['max by (backup, repository) (borg_backup_deduplicated_bytes)', '{{backup}} {{repository}}'],
          [
            'max by (backup, repository) (borg_backup_compressed_bytes)',
            'compressed {{backup}} {{repository}}',
          ],
        ),
        graph('Files that differ', 'short', [
          'max by (backup, repository, change) (borg_backup_changed_files)',
          '{{backup}} {{change}}',
        ]),
        graph('Files', 'short', [
          'max by (backup, repository) (borg_backup_files)',
          '{{backup}} {{repository}}',
        ]),
      ],
    },
    { title: 'Logs', panels: [logs('Borg', '{job="systemd-journal", unit=~"borg.*"}')] },
  ],
};
