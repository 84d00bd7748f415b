/** Dashboards about the watchers: Prometheus, Alertmanager, Loki, alertgest and its service levels. */
import { graph, logs, stat, table, uptime } from './panel.ts';
import type { Dashboard, Panel } from './panel.ts';

const exported = (panel: Panel): Panel => ({ ...panel, exported: true });

/** Who watches the watchers. */
export const monitoringStack: Dashboard = {
  uid: 'ag-monitoring',
  title: 'Prometheus and Alertmanager',
  owner: 'platform',
  answers: 'Does monitoring itself work: targets, rules, notifications, the cluster of Alertmanagers?',
  tags: ['monitoring'],
  rows: [
    {
      title: 'Prometheus',
      panels: [
        stat('Targets down', 'short', 'count(up == 0) or vector(0)', [1, 5]),
        stat(
          'Rules that fail',
          'short',
          'sum(increase(prometheus_rule_evaluation_failures_total[1h]))',
          [1, 5],
        ),
        stat('Alerts dropped', 'short', 'sum(increase(prometheus_notifications_dropped_total[1h]))', [1, 1]),
        stat('Series', 'short', 'sum(prometheus_tsdb_head_series)', [1_000_000, 2_000_000]),
        graph('Samples', 'short', [
          'sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))',
          'a second',
        ]),
        graph(
          'Rule evaluation',
          's',
          ['max by (quantile) (prometheus_rule_evaluation_duration_seconds)', '{{quantile}}'],
          ['max by (rule_group) (prometheus_rule_group_last_duration_seconds) > 1', '{{rule_group}}'],
        ),
        graph(
          'Scrapes',
          's',
          ['topk(10, max by (job) (scrape_duration_seconds))', '{{job}}'],
          [
            'max by (interval) (prometheus_target_interval_length_seconds{quantile="0.99"})',
            'every {{interval}}',
          ],
        ),
        graph(
          'Disk and memory',
          'bytes',
          ['sum(prometheus_tsdb_storage_blocks_bytes)', 'blocks'],
          ['sum(prometheus_tsdb_symbol_table_size_bytes)', 'symbols'],
          ['sum(process_resident_memory_bytes{job=~".*prometheus.*"})', 'memory'],
        ),
      ],
    },
    {
      title: 'Alertmanager',
      panels: [
        stat('Members', 'short', 'min(alertmanager_cluster_members)'),
        stat('Members lost', 'short', 'max(alertmanager_cluster_failed_peers)', [1, 1]),
        stat('Silences', 'short', 'max(alertmanager_silences{state="active"})', [20, 100]),
        stat('Alerts refused', 'short', 'sum(increase(alertmanager_alerts_invalid_total[1d]))', [1, 1]),
        graph(
          'Alerts',
          'short',
          ['max by (state) (alertmanager_alerts)', '{{state}}'],
          [
            'sum by (status) (rate(alertmanager_alerts_received_total[$__rate_interval]))',
            'received {{status}}',
          ],
        ),
        graph('Notifications', 'short', [
          'sum by (integration) (increase(alertmanager_notifications_total[5m]))',
          '{{integration}}',
        ]),
        graph('Notifications that failed', 'short', [
          'sum by (integration, reason) (increase(alertmanager_notifications_failed_total[5m]))',
          '{{integration}} {{reason}}',
        ]),
        graph('Latency of notifications', 's', [
          'histogram_quantile(0.95, sum by (integration, le) (rate(alertmanager_notification_latency_seconds_bucket[$__rate_interval])))',
          '{{integration}}',
        ]),
      ],
    },
    {
      title: 'Loki and Alloy',
      panels: [
        graph('Taken in', 'Bps', [
          'sum(rate(loki_distributor_bytes_received_total[$__rate_interval]))',
          'bytes',
        ]),
        graph(
          'Lines',
          'short',
          ['sum(rate(loki_distributor_lines_received_total[$__rate_interval]))', 'Loki'],
          ['sum(rate(loki_write_sent_entries_total[$__rate_interval]))', 'Alloy'],
        ),
        graph('Lines lost', 'short', [
          'sum by (reason) (increase(loki_write_dropped_entries_total[5m]))',
          '{{reason}}',
        ]),
        graph('Requests, 99th percentile', 's', [
          'histogram_quantile(0.99, sum by (route, le) (rate(loki_request_duration_seconds_bucket[$__rate_interval])))',
          '{{route}}',
        ]),
      ],
    },
  ],
};

/** Logs, wherever they are. */
export const logsOverview: Dashboard = {
  uid: 'ag-logs',
  title: 'Logs',
  owner: 'platform',
  answers: 'What do services write, and who writes too much?',
  tags: ['logs'],
  from: 'now-3h',
  choices: [
    { name: 'namespace', query: 'label_values(kube_pod_info, namespace)' },
    { name: 'app', query: 'label_values(kube_pod_owner{namespace=~"$namespace"}, owner_name)' },
  ],
  rows: [
    {
      title: 'Logs',
      panels: [
        logs('Errors', '{namespace=~"$namespace"} |~ "(?i)(error|fatal|panic|exception)"'),
        logs('Everything of the app', '{namespace=~"$namespace", app=~"$app"}'),
        logs('The node’s journal', '{job="systemd-journal"} |~ "(?i)(error|fail|oom)"'),
      ],
    },
  ],
};

/** alertgest at work. */
export const alertgestWork: Dashboard = {
  uid: 'ag-alertgest',
  title: 'alertgest',
  owner: 'alertgest',
  answers: 'What came in, what was told to whom, what was held back and why, does anything stick?',
  tags: ['alertgest'],
  rows: [
    {
      title: 'Now',
      panels: [
        stat(
          'Older than five minutes and not final',
          'short',
          'max(alertgest_audit{check="unfinished"})',
          [1, 1],
        ),
        stat('Told to nobody', 'short', 'max(alertgest_audit{check="dead"})', [1, 1]),
        stat(
          'Books that do not balance',
          'short',
          'sum(alertgest_audit{check=~"forgotten|miscounted|unproved"})',
          [1, 1],
        ),
        stat(
          'Since the last sweep',
          's',
          'time() - max(alertgest_sweep_last_run_timestamp_seconds)',
          [120, 300],
        ),
        stat(
          'Since the last Watchdog',
          's',
          'time() - max(alertgest_watchdog_last_seen_timestamp_seconds)',
          [600, 900],
        ),
        stat('Capture window', 'bool_on_off', 'max(alertgest_capture_window_active)'),
        stat('Version', 'none', 'count by (version) (alertgest_build_info)'),
        stat('Patterns known', 'short', 'max(alertgest_patterns)'),
      ],
    },
    {
      title: 'In and out',
      panels: [
        graph('Alerts received', 'short', [
          'sum by (severity, status) (increase(alertgest_alerts_received_total[5m]))',
          '{{severity}} {{status}}',
        ]),
        graph('Alerts discarded', 'short', [
          'sum by (reason) (increase(alertgest_alerts_discarded_total[5m]))',
          '{{reason}}',
        ]),
        graph(
          'Open incidents and episodes',
          'short',
          ['sum by (severity) (alertgest_incidents_open)', 'incidents {{severity}}'],
          ['sum by (severity) (alertgest_episodes_open)', 'episodes {{severity}}'],
        ),
        graph('What became of notices', 'short', [
          'sum by (status, reason) (increase(alertgest_notices_total[1h]))',
          '{{status}} {{reason}}',
        ]),
        graph(
          'On their way',
          'short',
          ['sum by (status) (alertgest_notices)', '{{status}}'],
          ['sum by (channel) (alertgest_deliveries_pending)', 'to {{channel}}'],
        ),
        graph('Decisions in force', 'short', ['sum by (kind) (alertgest_decisions_active)', '{{kind}}']),
      ],
    },
    {
      title: 'Channels',
      panels: [
        graph('Messages', 'short', [
          'sum by (channel, status) (increase(alertgest_delivery_total[5m]))',
          '{{channel}} {{status}}',
        ]),
        graph('Attempts', 'short', [
          'sum by (channel, outcome) (increase(alertgest_delivery_attempts_total[5m]))',
          '{{channel}} {{outcome}}',
        ]),
        graph('From alert to message, 95th percentile', 's', [
          'histogram_quantile(0.95, sum by (channel, le) (rate(alertgest_delivery_duration_seconds_bucket[$__rate_interval])))',
          '{{channel}}',
        ]),
        graph('Teams', 'short', [
          'sum by (status) (increase(alertgest_teams_delivery_total[1h]))',
          '{{status}}',
        ]),
        graph('Dead letters', 'short', ['sum(increase(alertgest_dead_letters_total[5m]))', 'events']),
      ],
    },
    {
      title: 'The model',
      panels: [
        graph('Duration, 95th percentile', 's', [
          'histogram_quantile(0.95, sum by (model, le) (rate(alertgest_llm_request_duration_seconds_bucket[$__rate_interval])))',
          '{{model}}',
        ]),
        graph('Tokens', 'short', [
          'sum by (model, type) (increase(alertgest_llm_tokens_total[1h]))',
          '{{model}} {{type}}',
        ]),
        graph('Explanations', 'short', [
          'sum by (result) (increase(alertgest_explanations_total[1h]))',
          '{{result}}',
        ]),
        graph('Context from Kubernetes, 95th percentile', 's', [
          'histogram_quantile(0.95, sum by (le) (rate(alertgest_k8s_context_collection_duration_seconds_bucket[$__rate_interval])))',
          'query time',
        ]),
      ],
    },
    {
      title: 'Logs',
      panels: [logs('Warnings and errors', '{namespace="alertgest"} | json | level =~ "warn|error|fatal"')],
    },
  ],
};

/** What alertgest promises. */
export const alertgestLevels: Dashboard = {
  uid: 'ag-slo',
  title: 'alertgest: service levels',
  owner: 'alertgest',
  answers:
    'Are 99.9 % of alerts stored, 99 % of digests delivered, within two minutes, with the model under 90 seconds?',
  tags: ['alertgest', 'slo'],
  from: 'now-30d',
  rows: [
    {
      title: 'Thirty days',
      panels: [
        exported(
          stat(
            'Alerts stored (goal 99.9 %)',
            'percentunit',
            'sum(increase(alertgest_alerts_stored_total[30d])) / sum(increase(alertgest_alerts_received_total[30d]))',
            [0.9995, 0.999],
          ),
        ),
        exported(
          stat(
            'Digests delivered (goal 99 %)',
            'percentunit',
            'sum(increase(alertgest_digest_delivery_total{status="sent"}[30d])) / sum(increase(alertgest_digest_delivery_total[30d]))',
            [0.995, 0.99],
          ),
        ),
        exported(
          stat(
            'Digest, trigger to message (goal 120 s)',
            's',
            'histogram_quantile(0.95, sum by (le) (increase(alertgest_digest_time_to_message_seconds_bucket[30d])))',
            [90, 120],
          ),
        ),
        exported(
          stat(
            'Model (goal 90 s)',
            's',
            'histogram_quantile(0.95, sum by (le) (increase(alertgest_llm_request_duration_seconds_bucket[30d])))',
            [60, 90],
          ),
        ),
        stat('Digests missing', 'short', 'max(alertgest_digest_windows_missing)', [1, 1]),
        stat(
          'Since the last digest',
          's',
          'time() - max(alertgest_digest_last_delivered_timestamp_seconds)',
          [100_000, 300_000],
        ),
        stat(
          'Digests called useful',
          'percentunit',
          'sum(alertgest_digest_ratings_total{rating="useful"}) / sum(alertgest_digest_ratings_total)',
          [0.7, 0.5],
        ),
        stat(
          'Messages delivered',
          'percentunit',
          'sum(increase(alertgest_delivery_total{status="sent"}[30d])) / sum(increase(alertgest_delivery_total[30d]))',
          [0.999, 0.99],
        ),
      ],
    },
    {
      title: 'Over time',
      panels: [
        exported(
          graph('Alerts stored, by day', 'percentunit', [
            'sum(increase(alertgest_alerts_stored_total[1d])) / sum(increase(alertgest_alerts_received_total[1d]))',
            'stored',
          ]),
        ),
        exported(
          graph(
            'From alert to message',
            's',
            [
              'histogram_quantile(0.5, sum by (le) (rate(alertgest_delivery_duration_seconds_bucket[1d])))',
              'half',
            ],
            [
              'histogram_quantile(0.99, sum by (le) (rate(alertgest_delivery_duration_seconds_bucket[1d])))',
              '99 %',
            ],
          ),
        ),
        graph('Building a digest, 95th percentile', 's', [
          'histogram_quantile(0.95, sum by (le) (increase(alertgest_digest_generation_duration_seconds_bucket[1d])))',
          'build',
        ]),
        table(
          'Deliveries by channel, 30 days',
          'short',
          'sum by (channel, status) (increase(alertgest_delivery_total[30d]))',
        ),
        uptime('alertgest answers', 'min by (job) (up{job="alertgest"})', '{{job}}'),
      ],
    },
  ],
};
