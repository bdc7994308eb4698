/**
 * The ports of a service as its pods serve them: target ports may be numbers, or names of container
 * ports.
 */
import type { EndpointSlice, Service, ServicePort } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';

export type SlicePorts = NonNullable<EndpointSlice['ports']>;

/** The ports that this pod serves; of no pod, those whose numbers are known without one. */
export function portsOf({ spec }: Service, pod: Pod | undefined): SlicePorts {
  return (spec.ports ?? []).flatMap((port) => {
    const number = targetNumber(port, pod);
    if (number === undefined) return [];
    return [{ name: port.name ?? '', protocol: port.protocol, port: number, ...protocol(port) }];
  });
}

function protocol({ appProtocol }: ServicePort): { appProtocol?: string } {
  return appProtocol === undefined ? {} : { appProtocol };
}

function targetNumber(port: ServicePort, pod: Pod | undefined): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const ports = (pod?.spec.containers ?? []).flatMap((container) => container.ports ?? []);
  return ports.find(({ name, protocol: p }) => name === target && p === port.protocol)
    ?.containerPort;
}
