/** Alerts about databases, caches and queues. */
import type { Variables } from '../variables.ts';
import { oneLine } from './rule.ts';
import type { RuleGroup } from './rule.ts';

const INSTANCE = 'namespace="shop",instance="postgres:5432"';
const INSTANCE_LABELS = { namespace: 'shop', instance: 'postgres:5432' };
const REDIS = 'namespace="shop",instance="redis:6379"';
const REDIS_LABELS = { namespace: 'shop', instance: 'redis:6379' };
const QUEUE = 'namespace="shop",vhost="/",queue="mail"';
const QUEUE_LABELS = { namespace: 'shop', vhost: '/', queue: 'mail' };
const BY = 'by (namespace, instance)';

/** The group "Database". */
export function database(v: Variables): RuleGroup {
  const postgresConnections = (used: number): [string, string][] => [
    [`pg_stat_activity_count{${INSTANCE},datname="shop",state="active"}`, `${used - 10}x20`],
    [`pg_stat_activity_count{${INSTANCE},datname="shop",state="idle"}`, '10x20'],
    [`pg_settings_max_connections{${INSTANCE}}`, '100x20'],
  ];
  const mysqlConnections = (used: number): [string, string][] => [
    ['mysql_global_status_threads_connected{namespace="shop",instance="mysql:3306"}', `${used}x20`],
    ['mysql_global_variables_max_connections{namespace="shop",instance="mysql:3306"}', '100x20'],
  ];
  return {
    name: 'Database',
    file: 'database',
    rules: [
      {
        alert: 'PostgresDown',
        severity: 'critical',
        category: 'database',
        expr: `max ${BY} (pg_up) == 0 or max ${BY} (up{job="postgres"}) == 0`,
        for: '1m',
        summary: 'PostgreSQL {{ $labels.instance }} is down',
        description: 'Neither the exporter nor anybody else gets an answer from {{ $labels.instance }}.',
        remediation: 'Is the pod running, is its volume full, does it recover? Do not delete the volume.',
        proof: {
          at: '3m',
          labels: INSTANCE_LABELS,
          fires: [[`pg_up{${INSTANCE}}`, '0x10']],
          quiet: [
            [`pg_up{${INSTANCE}}`, '1x10'],
            [`up{job="postgres",${INSTANCE}}`, '1x10'],
          ],
        },
      },
      {
        alert: 'PostgresHighConnections',
        severity: 'warning',
        category: 'database',
        expr: `100 * sum ${BY} (pg_stat_activity_count) / max ${BY} (pg_settings_max_connections) > ${v.alert_database_connections_threshold}`,
        for: '5m',
        summary: 'PostgreSQL {{ $labels.instance }} runs out of connections',
        description:
          '{{ $value | printf "%.0f" }} % of max_connections of {{ $labels.instance }} are in use.',
        remediation:
          'Find the application that holds them (idle in transaction?); use smaller pools or a pooler.',
        proof: {
          at: '7m',
          labels: INSTANCE_LABELS,
          value: '85',
          fires: postgresConnections(85),
          quiet: postgresConnections(79),
        },
      },
      {
        alert: 'HighDatabaseConnections',
        severity: 'warning',
        category: 'database',
        // PostgreSQL has PostgresHighConnections: never both on one server.
        expr: `100 * max ${BY} (mysql_global_status_threads_connected) / max ${BY} (mysql_global_variables_max_connections) > ${v.alert_database_connections_threshold}`,
        for: '5m',
        summary: 'The database {{ $labels.instance }} runs out of connections',
        description:
          '{{ $value | printf "%.0f" }} % of the connections of {{ $labels.instance }} are in use.',
        remediation: 'Find the client that holds them; lower its pool before raising max_connections.',
        proof: {
          at: '7m',
          labels: { namespace: 'shop', instance: 'mysql:3306' },
          value: '85',
          fires: mysqlConnections(85),
          quiet: mysqlConnections(80),
        },
      },
      {
        alert: 'DatabaseConnectionFailure',
        severity: 'critical',
        category: 'database',
        expr: 'sum by (namespace, service, database) (rate(db_connection_errors_total[5m])) > 0',
        for: '1m',
        summary: '{{ $labels.service }} cannot reach its database',
        description:
          '{{ $labels.namespace }}/{{ $labels.service }} gets errors when it connects to {{ $labels.database }}.',
        remediation: 'Is the server up, are there free connections, did password or NetworkPolicy change?',
        proof: {
          at: '8m',
          labels: { namespace: 'shop', service: 'api', database: 'shop' },
          fires: [['db_connection_errors_total{namespace="shop",service="api",database="shop"}', '0+3x20']],
          quiet: [['db_connection_errors_total{namespace="shop",service="api",database="shop"}', '7x20']],
        },
      },
      {
        alert: 'PostgresReplicationLag',
        severity: 'warning',
        category: 'database',
        expr: `max ${BY} (pg_replication_lag_seconds) > ${v.alert_replication_lag_seconds}`,
        for: '5m',
        summary: 'The replica {{ $labels.instance }} is behind',
        description:
          '{{ $labels.instance }} is {{ $value | humanizeDuration }} behind its primary; a failover would lose that.',
        remediation:
          'Look for long queries on the replica, slow disk or network; check the replication slot.',
        proof: {
          at: '7m',
          labels: INSTANCE_LABELS,
          value: '45s',
          fires: [[`pg_replication_lag_seconds{${INSTANCE}}`, '45x20']],
          quiet: [[`pg_replication_lag_seconds{${INSTANCE}}`, '29x20']],
        },
      },
      {
        alert: 'RedisDown',
        severity: 'critical',
        category: 'database',
        expr: `max ${BY} (redis_up) == 0 or max ${BY} (up{job="redis"}) == 0`,
        for: '1m',
        summary: 'Redis {{ $labels.instance }} is down',
        description: 'Redis at {{ $labels.instance }} does not answer.',
        remediation: 'Was it killed for its memory? See the last state of the pod; then its persistence log.',
        proof: {
          at: '3m',
          labels: REDIS_LABELS,
          fires: [[`redis_up{${REDIS}}`, '0x10']],
          quiet: [[`redis_up{${REDIS}}`, '1x10']],
        },
      },
      {
        alert: 'RedisHighMemory',
        severity: 'warning',
        category: 'database',
        // Without maxmemory the maximum is 0 and there is nothing to compare with.
        expr: `100 * max ${BY} (redis_memory_used_bytes) / (max ${BY} (redis_memory_max_bytes) > 0) > ${v.alert_redis_memory_threshold}`,
        for: '5m',
        summary: 'Redis {{ $labels.instance }} is nearly full',
        description:
          'Redis at {{ $labels.instance }} uses {{ $value | printf "%.0f" }} % of maxmemory; then it evicts or refuses writes.',
        remediation:
          'Look for keys without expiry (`redis-cli --bigkeys`); raise maxmemory below the pod’s limit.',
        proof: {
          at: '7m',
          labels: REDIS_LABELS,
          value: '95',
          fires: [
            [`redis_memory_used_bytes{${REDIS}}`, '950x20'],
            [`redis_memory_max_bytes{${REDIS}}`, '1000x20'],
          ],
          quiet: [
            [`redis_memory_used_bytes{${REDIS}}`, '950x20'],
            [`redis_memory_max_bytes{${REDIS}}`, '0x20'],
          ],
        },
      },
    ],
  };
}

/** The group "Message Queue". */
export function messageQueue(v: Variables): RuleGroup {
  const by = 'sum by (namespace, vhost, queue)';
  return {
    name: 'Message Queue',
    file: 'message-queue',
    rules: [
      {
        alert: 'RabbitMQDown',
        severity: 'critical',
        category: 'queue',
        expr: `max ${BY} (up{job="rabbitmq"}) == 0`,
        for: '1m',
        summary: 'RabbitMQ {{ $labels.instance }} is down',
        description: 'RabbitMQ at {{ $labels.instance }} does not answer; publishers block or fail.',
        remediation:
          'See whether an alarm on memory or disk stopped it, or the peers disagree after a partition.',
        proof: {
          at: '3m',
          labels: { namespace: 'shop', instance: 'rabbitmq:15692' },
          fires: [['up{job="rabbitmq",namespace="shop",instance="rabbitmq:15692"}', '0x10']],
          quiet: [['up{job="rabbitmq",namespace="shop",instance="rabbitmq:15692"}', '1x10']],
        },
      },
      {
        alert: 'RabbitMQHighQueue',
        severity: 'warning',
        category: 'queue',
        expr: `${by} (rabbitmq_detailed_queue_messages_ready) > ${v.alert_queue_messages}`,
        for: '5m',
        summary: 'The queue {{ $labels.queue }} grows',
        description: '{{ $value | printf "%.0f" }} messages wait in {{ $labels.vhost }} {{ $labels.queue }}.',
        remediation:
          'Are consumers there and do they acknowledge? Add consumers; a poison message goes to the dead letters.',
        proof: {
          at: '7m',
          labels: QUEUE_LABELS,
          value: '10500',
          fires: [[`rabbitmq_detailed_queue_messages_ready{${QUEUE}}`, '10500x20']],
          quiet: [[`rabbitmq_detailed_queue_messages_ready{${QUEUE}}`, '10000x20']],
        },
      },
      {
        alert: 'RabbitMQConsumerDown',
        severity: 'critical',
        category: 'queue',
        expr: oneLine(
          `${by} (rabbitmq_detailed_queue_consumers{queue!~"${v.alert_unattended_queues}"}) == 0`,
        ),
        for: '5m',
        summary: 'Nobody consumes {{ $labels.queue }}',
        description: 'The queue {{ $labels.vhost }} {{ $labels.queue }} has no consumer.',
        remediation:
          'Start the consumer; see its log for the reason it disconnected (channel closed, bad credentials).',
        proof: {
          at: '7m',
          labels: QUEUE_LABELS,
          fires: [[`rabbitmq_detailed_queue_consumers{${QUEUE}}`, '0x20']],
          quiet: [
            [`rabbitmq_detailed_queue_consumers{${QUEUE}}`, '1x20'],
            ['rabbitmq_detailed_queue_consumers{namespace="shop",vhost="/",queue="mail-dlq"}', '0x20'],
          ],
        },
      },
    ],
  };
}
