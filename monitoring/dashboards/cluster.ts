/** Dashboards about the cluster: system overview, capacity, Kubernetes, namespaces and deployments, hardware. */
import { graph, logs, stat, table, uptime } from './panel.ts';
import type { Dashboard } from './panel.ts';

const CPU_USED = '100 * (1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval])))';
const MEMORY_USED =
  '100 * (1 - max by (node) (node_memory_MemAvailable_bytes) / max by (node) (node_memory_MemTotal_bytes))';
const REAL_DISKS = 'fstype!~"tmpfs|overlay|squashfs|ramfs"';
const DISK_USED = `100 * (1 - max by (node, mountpoint) (node_filesystem_avail_bytes{${REAL_DISKS}}) / max by (node, mountpoint) (node_filesystem_size_bytes{${REAL_DISKS}}))`;
const P95_CPU_WEEK = `quantile_over_time(0.95, (100 * (1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle"}[5m]))))[7d:10m])`;
const P95_MEMORY_WEEK = `quantile_over_time(0.95, (${MEMORY_USED})[7d:10m])`;
const NAMESPACE = { name: 'namespace', query: 'label_values(kube_pod_info, namespace)' };

/** How the whole is doing, on one page. */
export const systemOverview: Dashboard = {
  uid: 'ag-system-overview',
  title: 'System overview',
  owner: 'infrastructure',
  answers: 'Is anything wrong right now, and where should I look next?',
  tags: ['cluster'],
  rows: [
    {
      title: 'Now',
      panels: [
        stat(
          'Alerts firing',
          'short',
          'count(ALERTS{alertstate="firing",severity=~"critical|warning"}) or vector(0)',
          [1, 5],
        ),
        stat(
          'Nodes not ready',
          'short',
          'count(kube_node_status_condition{condition="Ready",status="true"} == 0) or vector(0)',
          [1, 1],
        ),
        stat(
          'Pods not ready',
          'short',
          'sum(kube_pod_status_phase{phase=~"Pending|Unknown|Failed"}) or vector(0)',
          [1, 5],
        ),
        stat('Services unreachable', 'short', 'count(probe_success{probe="http"} == 0) or vector(0)', [1, 1]),
      ],
    },
    {
      title: 'Resources',
      panels: [
        graph('CPU by node', 'percent', [CPU_USED, '{{node}}']),
        graph('Memory by node', 'percent', [MEMORY_USED, '{{node}}']),
        graph('Disks', 'percent', [DISK_USED, '{{node}} {{mountpoint}}']),
        graph(
          'Network',
          'Bps',
          [
            'sum by (node) (rate(node_network_receive_bytes_total{device!~"lo|veth.*|cni.*|flannel.*"}[$__rate_interval]))',
            'in {{node}}',
          ],
          [
            'sum by (node) (rate(node_network_transmit_bytes_total{device!~"lo|veth.*|cni.*|flannel.*"}[$__rate_interval]))',
            'out {{node}}',
          ],
        ),
      ],
    },
    {
      title: 'What fires',
      panels: [
        table(
          'Alerts',
          'none',
          'sort_desc(count by (alertname, severity, category) (ALERTS{alertstate="firing"}))',
        ),
        graph('Requests by entry point', 'reqps', [
          'sum by (entrypoint) (rate(traefik_entrypoint_requests_total[$__rate_interval]))',
          '{{entrypoint}}',
        ]),
      ],
    },
  ],
};

/** Am I overloading the node? Do I need more hardware? */
export const capacity: Dashboard = {
  uid: 'ag-capacity',
  title: 'Capacity: do I need more hardware?',
  owner: 'infrastructure',
  answers: 'Am I overloading the nodes? When is a disk full? Do I need more hardware?',
  tags: ['cluster', 'capacity'],
  from: 'now-30d',
  rows: [
    {
      title: 'The answer',
      panels: [
        stat(
          'CPU in the busiest 5 % of the week',
          'percent',
          `max(${P95_CPU_WEEK})`,
          [70, 85],
          'Above 85 %: more CPU, or fewer workloads on that node. Below 40 %: there is room.',
        ),
        stat(
          'Memory in the fullest 5 % of the week',
          'percent',
          `max(${P95_MEMORY_WEEK})`,
          [75, 90],
          'Above 90 %: more memory. Page cache does not count here.',
        ),
        stat(
          'Days until the first disk is full',
          'd',
          `min((node_filesystem_avail_bytes{${REAL_DISKS}} / (-deriv(node_filesystem_avail_bytes{${REAL_DISKS}}[7d]) > 0)) / 86400) or vector(999)`,
          [60, 14],
          'Growth of the last week, carried on; 999 when nothing grows.',
        ),
        stat(
          'CPU requested',
          'percent',
          '100 * sum(kube_pod_container_resource_requests{resource="cpu"}) / sum(kube_node_status_allocatable{resource="cpu"})',
          [80, 95],
          'Above 95 % nothing new can be scheduled, however idle the nodes are.',
        ),
        stat(
          'Memory requested',
          'percent',
          '100 * sum(kube_pod_container_resource_requests{resource="memory"}) / sum(kube_node_status_allocatable{resource="memory"})',
          [80, 95],
        ),
        stat(
          'Memory promised (limits)',
          'percent',
          '100 * sum(kube_pod_container_resource_limits{resource="memory"}) / sum(kube_node_status_allocatable{resource="memory"})',
          [120, 200],
          'More than there is: fine until everybody wants theirs.',
        ),
        stat(
          'Hours of the week above 80 % CPU',
          'h',
          '7 * 24 * max(avg_over_time((100 * (1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle"}[5m]))) > bool 80)[7d:10m]))',
          [4, 24],
        ),
        stat(
          'Evictions and memory kills in a week',
          'short',
          'sum(count_over_time((kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1)[7d:1h]) > bool 0) or vector(0)',
          [1, 5],
        ),
      ],
    },
    {
      title: 'Trends',
      panels: [
        graph('CPU over the month', 'percent', [CPU_USED, '{{node}}']),
        graph('Memory over the month', 'percent', [MEMORY_USED, '{{node}}']),
        graph('Load per node', 'short', ['max by (node) (node_load5)', '{{node}}']),
        graph('Disk busy', 'percentunit', [
          'max by (node, device) (rate(node_disk_io_time_seconds_total[$__rate_interval]))',
          '{{node}} {{device}}',
        ]),
      ],
    },
    {
      title: 'Volumes',
      panels: [
        graph('Key volumes: / and /mnt/data', 'percent', [
          `100 * (1 - max by (node, mountpoint) (node_filesystem_avail_bytes{mountpoint=~"/|/mnt/data"}) / max by (node, mountpoint) (node_filesystem_size_bytes{mountpoint=~"/|/mnt/data"}))`,
          '{{node}} {{mountpoint}}',
        ]),
        graph(
          '/mnt/data: room left, and in four weeks',
          'bytes',
          ['max by (node) (node_filesystem_avail_bytes{mountpoint="/mnt/data"})', 'now {{node}}'],
          [
            'max by (node) (predict_linear(node_filesystem_avail_bytes{mountpoint="/mnt/data"}[7d], 28 * 86400))',
            'in four weeks {{node}}',
          ],
        ),
        graph('Persistent volumes', 'percent', [
          '100 * (1 - max by (namespace, persistentvolumeclaim) (kubelet_volume_stats_available_bytes) / max by (namespace, persistentvolumeclaim) (kubelet_volume_stats_capacity_bytes))',
          '{{namespace}} {{persistentvolumeclaim}}',
        ]),
        table(
          'Largest memory users',
          'bytes',
          'topk(15, sum by (namespace, pod) (container_memory_working_set_bytes{container!=""}))',
        ),
      ],
    },
  ],
};

/** Per namespace and deployment. */
export const namespaces: Dashboard = {
  uid: 'ag-namespaces',
  title: 'Namespaces and deployments',
  owner: 'infrastructure',
  answers: 'Who uses what, against what they asked for? Which deployment restarts or waits?',
  tags: ['cluster'],
  choices: [NAMESPACE],
  rows: [
    {
      title: 'By namespace',
      panels: [
        graph('CPU', 'short', [
          'sum by (namespace) (rate(container_cpu_usage_seconds_total{container!="",namespace=~"$namespace"}[$__rate_interval]))',
          '{{namespace}}',
        ]),
        graph('Memory', 'bytes', [
          'sum by (namespace) (container_memory_working_set_bytes{container!="",namespace=~"$namespace"})',
          '{{namespace}}',
        ]),
        graph('Network in', 'Bps', [
          'sum by (namespace) (rate(container_network_receive_bytes_total{namespace=~"$namespace"}[$__rate_interval]))',
          '{{namespace}}',
        ]),
        graph('Network out', 'Bps', [
          'sum by (namespace) (rate(container_network_transmit_bytes_total{namespace=~"$namespace"}[$__rate_interval]))',
          '{{namespace}}',
        ]),
      ],
    },
    {
      title: 'By workload',
      panels: [
        graph('CPU', 'short', [
          'sum by (namespace, owner_name) (sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container!="",namespace=~"$namespace"}[$__rate_interval])) * on (namespace, pod) group_left (owner_name) max by (namespace, pod, owner_name) (kube_pod_owner))',
          '{{namespace}} {{owner_name}}',
        ]),
        graph('Memory', 'bytes', [
          'sum by (namespace, owner_name) (sum by (namespace, pod) (container_memory_working_set_bytes{container!="",namespace=~"$namespace"}) * on (namespace, pod) group_left (owner_name) max by (namespace, pod, owner_name) (kube_pod_owner))',
          '{{namespace}} {{owner_name}}',
        ]),
        graph('Replicas missing', 'short', [
          'max by (namespace, deployment) (kube_deployment_spec_replicas{namespace=~"$namespace"}) - max by (namespace, deployment) (kube_deployment_status_replicas_available{namespace=~"$namespace"})',
          '{{namespace}} {{deployment}}',
        ]),
        graph('Restarts an hour', 'short', [
          'sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total{namespace=~"$namespace"}[1h])) > 0',
          '{{namespace}} {{pod}}',
        ]),
        graph('Throttled', 'percentunit', [
          'sum by (namespace, pod) (rate(container_cpu_cfs_throttled_periods_total{namespace=~"$namespace"}[$__rate_interval])) / sum by (namespace, pod) (rate(container_cpu_cfs_periods_total{namespace=~"$namespace"}[$__rate_interval])) > 0.05',
          '{{namespace}} {{pod}}',
        ]),
        table(
          'Memory used in percent of requested',
          'percent',
          'sort_desc(100 * sum by (namespace, pod) (container_memory_working_set_bytes{container!="",namespace=~"$namespace"}) / sum by (namespace, pod) (kube_pod_container_resource_requests{resource="memory",namespace=~"$namespace"}))',
          'Far below 100: the request can shrink. Above 200: it should grow.',
        ),
      ],
    },
    { title: 'Logs', panels: [logs('Errors', '{namespace=~"$namespace"} |~ "(?i)error|fatal|panic"')] },
  ],
};

/** The cluster's own parts. */
export const kubernetesCluster: Dashboard = {
  uid: 'ag-kubernetes',
  title: 'Kubernetes cluster',
  owner: 'infrastructure',
  answers: 'Are nodes, API server, rollouts, jobs and volumes well?',
  tags: ['cluster'],
  rows: [
    {
      title: 'Nodes and pods',
      panels: [
        stat('Nodes', 'short', 'count(kube_node_info)'),
        stat('Pods', 'short', 'sum(kubelet_running_pods)'),
        stat(
          'Crash loops',
          'short',
          'count(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"} == 1) or vector(0)',
          [1, 3],
        ),
        stat(
          'Images that cannot be pulled',
          'short',
          'count(kube_pod_container_status_waiting_reason{reason=~"ImagePullBackOff|ErrImagePull"} == 1) or vector(0)',
          [1, 3],
        ),
        uptime(
          'Nodes ready',
          'max by (node) (kube_node_status_condition{condition="Ready",status="true"})',
          '{{node}}',
        ),
        graph('Pods by phase', 'short', ['sum by (phase) (kube_pod_status_phase)', '{{phase}}']),
        graph('Restarts by namespace', 'short', [
          'sum by (namespace) (increase(kube_pod_container_status_restarts_total[1h]))',
          '{{namespace}}',
        ]),
      ],
    },
    {
      title: 'API server',
      panels: [
        graph('Requests', 'reqps', [
          'sum by (code) (rate(apiserver_request_total[$__rate_interval]))',
          '{{code}}',
        ]),
        graph('99th percentile', 's', [
          'histogram_quantile(0.99, sum by (verb, le) (rate(apiserver_request_duration_seconds_bucket{verb!~"WATCH|CONNECT"}[$__rate_interval])))',
          '{{verb}}',
        ]),
      ],
    },
    {
      title: 'Jobs, rollouts, certificates',
      panels: [
        table('Failed jobs', 'none', 'max by (namespace, job_name) (kube_job_failed{condition="true"}) == 1'),
        table(
          'Rollouts under way',
          'none',
          'max by (namespace, deployment) (kube_deployment_spec_replicas) > max by (namespace, deployment) (kube_deployment_status_replicas_updated)',
        ),
        graph('CronJobs: time since the last success', 's', [
          'time() - max by (namespace, cronjob) (kube_cronjob_status_last_successful_time)',
          '{{namespace}} {{cronjob}}',
        ]),
        graph('Certificates: days left', 'd', [
          '(min by (namespace, name) (certmanager_certificate_expiration_timestamp_seconds) - time()) / 86400',
          '{{namespace}} {{name}}',
        ]),
      ],
    },
  ],
};

/** Disks, temperatures, power, switches. */
export const hardwareHealth: Dashboard = {
  uid: 'ag-hardware',
  title: 'Hardware health',
  owner: 'infrastructure',
  answers: 'Does a disk die, is something too hot, how long does the UPS last?',
  tags: ['hardware'],
  from: 'now-7d',
  rows: [
    {
      title: 'SMART',
      panels: [
        stat(
          'Disks that say they fail',
          'short',
          'count(smartctl_device_smart_status == 0) or vector(0)',
          [1, 1],
        ),
        stat('Worst wear', 'percent', 'max(smartctl_device_percentage_used)', [70, 90]),
        stat(
          'Hottest disk',
          'celsius',
          'max(smartctl_device_temperature{temperature_type="current"})',
          [50, 60],
        ),
        stat('Pools not ONLINE', 'short', 'count(zfs_pool_health > 0) or vector(0)', [1, 1]),
        graph('Errors of the medium', 'short', [
          'max by (instance, device) (increase(smartctl_device_media_errors[1d]))',
          '{{instance}} {{device}}',
        ]),
        graph('Sectors reallocated or pending', 'short', [
          'max by (instance, device, attribute_name) (smartctl_device_attribute{attribute_name=~"Reallocated_Sector_Ct|Current_Pending_Sector",attribute_value_type="raw"})',
          '{{instance}} {{device}} {{attribute_name}}',
        ]),
        table('Age of disks', 's', 'sort_desc(max by (instance, device) (smartctl_device_power_on_seconds))'),
        graph(
          'Pools',
          'percentunit',
          [
            'max by (instance, pool) (zfs_pool_allocated_bytes) / max by (instance, pool) (zfs_pool_size_bytes)',
            '{{instance}} {{pool}}',
          ],
          ['max by (instance, pool) (zfs_pool_fragmentation_ratio)', 'fragmented {{instance}} {{pool}}'],
        ),
      ],
    },
    {
      title: 'Temperature',
      panels: [
        graph('Disks', 'celsius', [
          'max by (instance, device) (smartctl_device_temperature{temperature_type="current"})',
          '{{instance}} {{device}}',
        ]),
        graph('Machines', 'celsius', ['max by (node, chip) (node_hwmon_temp_celsius)', '{{node}} {{chip}}']),
      ],
    },
    {
      title: 'Power and switches, by SNMP',
      panels: [
        stat('UPS charge', 'percent', 'min(upsAdvBatteryCapacity)', [90, 50]),
        stat('UPS load', 'percent', 'max(upsAdvOutputLoad)', [70, 90]),
        stat('Power drawn', 'watt', 'sum(upsAdvOutputActivePower)'),
        stat(
          'Energy in a month',
          'kwatth',
          'sum(avg_over_time(upsAdvOutputActivePower[30d])) * 24 * 30 / 1000',
        ),
        graph('Power', 'watt', ['sum by (instance) (upsAdvOutputActivePower)', '{{instance}}']),
        graph('Battery', 'celsius', ['max by (instance) (upsAdvBatteryTemperature)', '{{instance}}']),
        graph('Ports in', 'bps', [
          '8 * sum by (instance, ifName) (rate(ifHCInOctets[$__rate_interval]))',
          '{{instance}} {{ifName}}',
        ]),
        graph('Ports out', 'bps', [
          '8 * sum by (instance, ifName) (rate(ifHCOutOctets[$__rate_interval]))',
          '{{instance}} {{ifName}}',
        ]),
      ],
    },
  ],
};
