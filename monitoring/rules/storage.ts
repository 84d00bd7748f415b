/** Alerts about volumes, pools and backups. */
import type { Variables } from '../variables.ts';
import type { AlertRule } from './rule.ts';

const VOLUME = 'namespace="media",persistentvolumeclaim="jellyfin-config"';
const VOLUME_LABELS = { namespace: 'media', persistentvolumeclaim: 'jellyfin-config' };
const BACKUP = 'instance="nas",backup="nightly",repository="nas"';
const BACKUP_LABELS = { instance: 'nas', backup: 'nightly', repository: 'nas' };

/** The alerts about storage and backups, in the group "Infrastructure". */
export function storage(v: Variables): AlertRule[] {
  return [...volumes(v), ...backups(v)];
}

function volumes(v: Variables): AlertRule[] {
  const by = 'max by (namespace, persistentvolumeclaim)';
  const expr = `100 * (1 - ${by} (kubelet_volume_stats_available_bytes) / ${by} (kubelet_volume_stats_capacity_bytes))`;
  const used = (percent: number): [string, string][] => [
    [`kubelet_volume_stats_available_bytes{${VOLUME}}`, `${(100 - percent) * 10}x20`],
    [`kubelet_volume_stats_capacity_bytes{${VOLUME}}`, '1000x20'],
  ];
  const text =
    'The volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} is {{ $value | printf "%.0f" }} % full.';
  return [
    {
      alert: 'PersistentVolumeSpaceLow',
      severity: 'warning',
      category: 'storage',
      expr: `${expr} > ${v.alert_volume_threshold}`,
      for: '5m',
      summary: 'The volume {{ $labels.persistentvolumeclaim }} fills up',
      description: text,
      remediation: 'Delete what is not needed, or enlarge the claim where its class allows that.',
      proof: { at: '7m', labels: VOLUME_LABELS, value: '85', fires: used(85), quiet: used(79) },
    },
    {
      alert: 'PersistentVolumeSpaceCritical',
      alsoKnownAs: ['PVCNearlyFull'],
      severity: 'critical',
      category: 'storage',
      expr: `${expr} > ${v.alert_volume_critical_threshold}`,
      for: '5m',
      summary: 'The volume {{ $labels.persistentvolumeclaim }} is nearly full',
      description: `${text} Databases stop, or damage their files, when it is full.`,
      remediation: 'Enlarge the claim now; then find what grew.',
      proof: { at: '7m', labels: VOLUME_LABELS, value: '95', fires: used(95), quiet: used(89) },
    },
    {
      alert: 'NASPoolDegraded',
      severity: 'critical',
      category: 'storage',
      expr: 'max by (instance, pool) (zfs_pool_health) > 0',
      summary: 'The pool {{ $labels.pool }} is not ONLINE',
      description:
        'ZFS reports health {{ $value | printf "%.0f" }} for {{ $labels.pool }} on {{ $labels.instance }} (1 DEGRADED, 2 FAULTED, 3 OFFLINE, 4 UNAVAIL, 5 REMOVED, 6 SUSPENDED).',
      remediation:
        'Escalate to storage on call; follow the resilver checklist; do not reboot and do not scrub now.',
      proof: {
        at: '1m',
        labels: { instance: 'nas', pool: 'tank' },
        value: '1',
        fires: [['zfs_pool_health{instance="nas",pool="tank"}', '1x5']],
        quiet: [['zfs_pool_health{instance="nas",pool="tank"}', '0x5']],
      },
    },
  ];
}

function backups(v: Variables): AlertRule[] {
  return [
    {
      alert: 'BackupJobFailed',
      severity: 'critical',
      category: 'backup',
      expr: 'max by (instance, backup, repository) (borg_backup_exit_code) != 0',
      summary: 'The backup {{ $labels.backup }} failed',
      description:
        'Borg ended with exit code {{ $value | printf "%.0f" }} for {{ $labels.repository }} on {{ $labels.instance }} (1 is a warning, 2 and above an error).',
      remediation:
        'Read its log, repair (lock, room, network), run it again by hand, and see that the alert ends.',
      proof: {
        at: '1m',
        labels: BACKUP_LABELS,
        value: '2',
        fires: [[`borg_backup_exit_code{${BACKUP}}`, '2x5']],
        quiet: [[`borg_backup_exit_code{${BACKUP}}`, '0x5']],
      },
    },
    {
      alert: 'BackupMissing',
      severity: 'critical',
      category: 'backup',
      // Looks back a week, so that a machine that vanished with its metrics is not forgotten.
      expr: `(time() - max by (instance, backup, repository) (last_over_time(borg_backup_last_success_timestamp_seconds[7d]))) / 3600 > ${v.alert_backup_max_age_hours}`,
      for: '15m',
      summary: 'There is no recent backup {{ $labels.backup }}',
      description:
        'The last good backup to {{ $labels.repository }} from {{ $labels.instance }} is {{ $value | printf "%.0f" }} hours old.',
      remediation: 'See whether the timer ran at all; a backup that never starts has no exit code.',
      proof: {
        at: '30h',
        step: '1h',
        labels: BACKUP_LABELS,
        value: '30',
        fires: [[`borg_backup_last_success_timestamp_seconds{${BACKUP}}`, '0x20']],
        quiet: [[`borg_backup_last_success_timestamp_seconds{${BACKUP}}`, '0x20 72000x20']],
      },
    },
  ];
}
