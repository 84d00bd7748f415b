/**
 * Which alerts mute which: one push instead of several about the same thing. The Alertmanager configurations repeat this
 * table as inhibit rules; a test compares them.
 */

/** While `source` fires, `targets` with the same values of `equal` are muted. */
export interface Inhibition {
  readonly source: string;
  readonly targets: readonly string[];
  readonly equal: readonly string[];
}

/** Every inhibition; ladders name all rungs below. */
export const INHIBITIONS: readonly Inhibition[] = [
  ...ladder(['CriticalCPUUsage', 'NodeCPU', 'HighCPUUsage', 'NodeCPUPersistentlyHigh'], ['node']),
  ...ladder(['CriticalMemoryUsage', 'NodeMemory', 'HighMemoryUsage', 'NodeMemoryPersistentlyHigh'], ['node']),
  ...ladder(['NodeDiskUsageCritical', 'NodeDiskUsageHigh'], ['node', 'mountpoint']),
  ...ladder(
    ['PersistentVolumeSpaceCritical', 'PersistentVolumeSpaceLow'],
    ['namespace', 'persistentvolumeclaim'],
  ),
  ...ladder(
    ['CertificateExpiryCritical', 'CertificateExpiringSoon'],
    ['namespace', 'service', 'instance', 'name'],
  ),
  ...ladder(['CriticalErrorRate', 'HighErrorRate'], ['namespace', 'service']),
  ...ladder(['HighLatency', 'SlowResponseTime'], ['namespace', 'service']),
  ...ladder(['PodCrashLooping', 'PodFrequentRestarts'], ['namespace', 'pod', 'container']),
  {
    source: 'ServiceDown',
    targets: ['HTTPProbeFailed', 'CriticalErrorRate', 'HighErrorRate', 'HighLatency', 'SlowResponseTime'],
    equal: ['namespace', 'service'],
  },
  { source: 'PodCrashLooping', targets: ['PodNotReady'], equal: ['namespace', 'pod'] },
  {
    source: 'DeploymentGenerationMismatch',
    targets: ['DeploymentReplicasMismatch'],
    equal: ['namespace', 'deployment'],
  },
  { source: 'NodeNotReady', targets: ['NodeMemoryPressure', 'NodeDiskPressure'], equal: ['node'] },
  { source: 'BackupJobFailed', targets: ['BackupMissing'], equal: ['instance', 'backup', 'repository'] },
  {
    source: 'PostgresDown',
    targets: ['PostgresHighConnections', 'PostgresReplicationLag'],
    equal: ['namespace', 'instance'],
  },
  { source: 'RedisDown', targets: ['RedisHighMemory'], equal: ['namespace', 'instance'] },
  { source: 'RabbitMQDown', targets: ['RabbitMQConsumerDown'], equal: ['namespace'] },
  {
    source: 'AlertgestDown',
    targets: ['AlertgestSweepMissing', 'AlertgestWatchdogLost', 'AlertgestNoticesStuck'],
    equal: ['cluster'],
  },
];

/** From the top rung down: each mutes all that are below it. */
function ladder(rungs: readonly string[], equal: readonly string[]): Inhibition[] {
  return rungs.slice(0, -1).map((source, at) => ({ source, targets: rungs.slice(at + 1), equal }));
}
