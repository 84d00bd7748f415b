/**
 * Alerts about nodes. CPU, memory and disk are ladders: one expression, several rungs; Alertmanager mutes the lower rungs
 * of the same node while a higher one fires (`ladders.ts`).
 */
import type { Variables } from '../variables.ts';
import type { AlertRule } from './rule.ts';

const CPU = '100 * (1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle"}[5m])))';
const MEMORY =
  '100 * (1 - max by (node) (node_memory_MemAvailable_bytes) / max by (node) (node_memory_MemTotal_bytes))';
const LABELS = { node: 'k3s-1' };

/** The alerts about nodes, in the group "Infrastructure". */
export function nodes(v: Variables): AlertRule[] {
  return [...cpu(v), ...memory(v), ...disk(v), ...conditions()];
}

function cpu(v: Variables): AlertRule[] {
  const idle = (perMinute: number, minutes: number): [string, string] => [
    'node_cpu_seconds_total{node="k3s-1",cpu="0",mode="idle"}',
    `0+${perMinute}x${minutes}`,
  ];
  const text = 'Node {{ $labels.node }} uses {{ $value | printf "%.0f" }} % of its CPU.';
  return [
    {
      alert: 'HighCPUUsage',
      severity: 'warning',
      category: 'node',
      expr: `${CPU} > ${v.alert_cpu_threshold}`,
      for: '10m',
      summary: 'CPU of {{ $labels.node }} is high',
      description: text,
      remediation: 'Find the pod that took the CPU; give it a limit, or move it.',
      proof: { at: '17m', labels: LABELS, value: '85', fires: [idle(9, 30)], quiet: [idle(12.6, 30)] },
    },
    {
      alert: 'NodeCPU',
      severity: 'warning',
      category: 'node',
      expr: `${CPU} > ${v.alert_cpu_high_threshold}`,
      for: '5m',
      summary: 'CPU of {{ $labels.node }} is very high',
      description: text,
      remediation: 'Stop what can wait (transcoding, scans, backups) and find the pod that took the CPU.',
      proof: { at: '12m', labels: LABELS, value: '92', fires: [idle(4.8, 30)], quiet: [idle(6.6, 30)] },
    },
    {
      alert: 'CriticalCPUUsage',
      severity: 'critical',
      category: 'node',
      expr: `${CPU} > ${v.alert_cpu_critical_threshold}`,
      for: '5m',
      summary: 'CPU of {{ $labels.node }} is used up',
      description: `${text} Probes and DNS may fail next.`,
      remediation: 'Scale down the largest consumer now; cordon the node if it serves others.',
      proof: { at: '12m', labels: LABELS, value: '97', fires: [idle(1.8, 30)], quiet: [idle(3.6, 30)] },
    },
    {
      alert: 'NodeCPUPersistentlyHigh',
      severity: 'info',
      category: 'node',
      expr: `${CPU} > ${v.alert_capacity_threshold}`,
      for: v.alert_capacity_for,
      summary: 'CPU of {{ $labels.node }} has been high for hours',
      description: `${text} It has been above ${v.alert_capacity_threshold} % for ${v.alert_capacity_for}: a matter of capacity.`,
      remediation:
        'Look at the dashboard "Capacity": is it one workload that grew, or is it time for more hardware?',
      proof: {
        at: '5h',
        labels: LABELS,
        value: '85',
        fires: [idle(9, 300)],
        quiet: [['node_cpu_seconds_total{node="k3s-1",cpu="0",mode="idle"}', '0+9x220 2040+60x30 3840+9x60']],
      },
    },
  ];
}

function memory(v: Variables): AlertRule[] {
  const used = (percent: number, minutes: number): [string, string][] => [
    ['node_memory_MemAvailable_bytes{node="k3s-1"}', `${(100 - percent) * 10}x${minutes}`],
    ['node_memory_MemTotal_bytes{node="k3s-1"}', `1000x${minutes}`],
  ];
  const text = 'Node {{ $labels.node }} uses {{ $value | printf "%.0f" }} % of its memory.';
  return [
    {
      alert: 'HighMemoryUsage',
      severity: 'warning',
      category: 'node',
      expr: `${MEMORY} > ${v.alert_memory_threshold}`,
      for: '10m',
      summary: 'Memory of {{ $labels.node }} is high',
      description: text,
      remediation: 'Find the pod that grew; set requests and limits so that the scheduler knows.',
      proof: { at: '12m', labels: LABELS, value: '85', fires: used(85, 20), quiet: used(79, 20) },
    },
    {
      alert: 'NodeMemory',
      severity: 'warning',
      category: 'node',
      expr: `${MEMORY} > ${v.alert_memory_high_threshold}`,
      for: '5m',
      summary: 'Memory of {{ $labels.node }} is very high',
      description: text,
      remediation: 'Restart what leaks; unload the model when Ollama holds it (`ollama stop`).',
      proof: { at: '7m', labels: LABELS, value: '92', fires: used(92, 20), quiet: used(89, 20) },
    },
    {
      alert: 'CriticalMemoryUsage',
      severity: 'critical',
      category: 'node',
      expr: `${MEMORY} > ${v.alert_memory_critical_threshold}`,
      for: '5m',
      summary: 'Memory of {{ $labels.node }} is used up',
      description: `${text} The kernel starts killing at 100 %.`,
      remediation: 'Scale down the largest consumer before the kernel chooses for you.',
      proof: { at: '7m', labels: LABELS, value: '97', fires: used(97, 20), quiet: used(94, 20) },
    },
    {
      alert: 'NodeMemoryPersistentlyHigh',
      severity: 'info',
      category: 'node',
      expr: `${MEMORY} > ${v.alert_capacity_threshold}`,
      for: v.alert_capacity_for,
      summary: 'Memory of {{ $labels.node }} has been high for hours',
      description: `${text} It has been above ${v.alert_capacity_threshold} % for ${v.alert_capacity_for}: a matter of capacity.`,
      remediation: 'Look at the dashboard "Capacity": right-size requests first, then think of more memory.',
      proof: {
        at: '5h',
        labels: LABELS,
        value: '85',
        fires: used(85, 300),
        quiet: [
          ['node_memory_MemAvailable_bytes{node="k3s-1"}', '150x170 500x20 150x120'],
          ['node_memory_MemTotal_bytes{node="k3s-1"}', '1000x320'],
        ],
      },
    },
  ];
}

function disk(v: Variables): AlertRule[] {
  const matcher = `{mountpoint=~"${v.alert_mountpoints}",fstype!~"tmpfs|overlay|squashfs"}`;
  const expr = `100 * (1 - max by (node, mountpoint) (node_filesystem_avail_bytes${matcher}) / max by (node, mountpoint) (node_filesystem_size_bytes${matcher}))`;
  const used = (percent: number, mountpoint = '/'): [string, string][] => [
    [
      `node_filesystem_avail_bytes{node="k3s-1",mountpoint="${mountpoint}",fstype="ext4"}`,
      `${(100 - percent) * 10}x30`,
    ],
    [`node_filesystem_size_bytes{node="k3s-1",mountpoint="${mountpoint}",fstype="ext4"}`, '1000x30'],
  ];
  const labels = { ...LABELS, mountpoint: '/' };
  const text = '{{ $labels.mountpoint }} on {{ $labels.node }} is {{ $value | printf "%.0f" }} % full.';
  return [
    {
      alert: 'NodeDiskUsageHigh',
      severity: 'warning',
      category: 'storage',
      expr: `${expr} > ${v.alert_disk_threshold}`,
      for: '15m',
      summary: 'A disk of {{ $labels.node }} fills up',
      description: text,
      remediation: 'Prune images and old downloads; see on the dashboard "Capacity" when it will be full.',
      proof: { at: '17m', labels, value: '85', fires: used(85), quiet: used(79) },
    },
    {
      alert: 'NodeDiskUsageCritical',
      severity: 'critical',
      category: 'storage',
      expr: `${expr} > ${v.alert_disk_critical_threshold}`,
      for: '5m',
      summary: 'A disk of {{ $labels.node }} is nearly full',
      description: `${text} Kubernetes evicts pods when the root disk has less than 10 to 15 % left.`,
      remediation: 'Free room now: unused images, journal, finished downloads; then enlarge the volume.',
      proof: { at: '7m', labels, value: '95', fires: used(95), quiet: used(89) },
    },
  ];
}

function conditions(): AlertRule[] {
  const condition = (name: string, status: string, value: string): [string, string] => [
    `kube_node_status_condition{node="k3s-1",condition="${name}",status="${status}"}`,
    value,
  ];
  const pressure = (name: string): string =>
    `max by (node) (kube_node_status_condition{condition="${name}",status="true"}) == 1`;
  return [
    {
      alert: 'NodeNotReady',
      severity: 'critical',
      category: 'node',
      expr: 'max by (node) (kube_node_status_condition{condition="Ready",status="true"}) == 0',
      for: '5m',
      summary: 'Node {{ $labels.node }} is not ready',
      description: 'The kubelet of {{ $labels.node }} does not report; its pods are moved or lost.',
      remediation:
        'Is the machine on and on the network? Then restart the kubelet (or k3s) and read its journal.',
      proof: {
        at: '7m',
        labels: LABELS,
        fires: [condition('Ready', 'true', '0x20')],
        quiet: [condition('Ready', 'true', '0x4 1x20')],
      },
    },
    {
      alert: 'NodeMemoryPressure',
      severity: 'warning',
      category: 'node',
      expr: pressure('MemoryPressure'),
      for: '5m',
      summary: 'Node {{ $labels.node }} is under memory pressure',
      description: 'The kubelet of {{ $labels.node }} evicts pods without guarantees.',
      remediation:
        'See who was evicted and who grew; give the important ones requests equal to their limits.',
      proof: {
        at: '7m',
        labels: LABELS,
        fires: [condition('MemoryPressure', 'true', '1x20')],
        quiet: [condition('MemoryPressure', 'true', '1x4 0x20')],
      },
    },
    {
      alert: 'NodeDiskPressure',
      severity: 'warning',
      category: 'node',
      expr: pressure('DiskPressure'),
      for: '5m',
      summary: 'Node {{ $labels.node }} is under disk pressure',
      description: 'The kubelet of {{ $labels.node }} deletes images and evicts pods.',
      remediation: 'Prune unused images and look for the pod with the large ephemeral storage.',
      proof: {
        at: '7m',
        labels: LABELS,
        fires: [condition('DiskPressure', 'true', '1x20')],
        quiet: [condition('DiskPressure', 'true', '1x4 0x20')],
      },
    },
  ];
}
