/** Probes of a container. */
import type { Container, Probe } from '../kinds/container.ts';
import { portName } from '../names.ts';
import type { Faults } from './faults.ts';

export function checkProbes(container: Container, field: string, faults: Faults): void {
  const { livenessProbe, readinessProbe, startupProbe } = container;
  if (livenessProbe) checkProbe(livenessProbe, `${field}.livenessProbe`, true, faults);
  if (readinessProbe) checkProbe(readinessProbe, `${field}.readinessProbe`, false, faults);
  if (startupProbe) checkProbe(startupProbe, `${field}.startupProbe`, true, faults);
}

/** `once`: one success must be enough, since the answer to failure is a restart. */
function checkProbe(probe: Probe, field: string, once: boolean, faults: Faults): void {
  checkHandler(probe, field, faults);
  faults.notNegative(`${field}.initialDelaySeconds`, probe.initialDelaySeconds);
  faults.notNegative(`${field}.timeoutSeconds`, probe.timeoutSeconds);
  faults.notNegative(`${field}.periodSeconds`, probe.periodSeconds);
  faults.notNegative(`${field}.successThreshold`, probe.successThreshold);
  faults.notNegative(`${field}.failureThreshold`, probe.failureThreshold);
  if (once && probe.successThreshold > 1) {
    faults.invalid(`${field}.successThreshold`, probe.successThreshold, 'must be 1');
  }
  const grace = probe.terminationGracePeriodSeconds;
  if (grace === undefined) return;
  const path = `${field}.terminationGracePeriodSeconds`;
  if (grace <= 0) faults.invalid(path, grace, 'must be greater than 0');
  if (!once) faults.invalid(path, grace, 'must not be set for readinessProbes');
}

function checkHandler(probe: Probe, field: string, faults: Faults): void {
  const { exec, httpGet, tcpSocket, grpc } = probe;
  const given = Object.entries({ exec, httpGet, tcpSocket, grpc }).filter(([, value]) => value);
  if (given.length === 0) faults.required(field, 'must specify a handler type');
  for (const [name] of given.slice(1)) {
    faults.forbidden(`${field}.${name}`, 'may not specify more than 1 handler type');
  }
  if (exec && (exec.command ?? []).length === 0) faults.required(`${field}.exec.command`);
  if (httpGet) {
    if (!httpGet.path) faults.required(`${field}.httpGet.path`);
    checkPort(httpGet.port, `${field}.httpGet.port`, faults);
  }
  if (tcpSocket) checkPort(tcpSocket.port, `${field}.tcpSocket.port`, faults);
  if (grpc) faults.port(`${field}.grpc.port`, grpc.port);
}

/** A number, or the name of a port. */
export function checkPort(port: number | string, field: string, faults: Faults): void {
  if (typeof port === 'number') faults.port(field, port);
  else faults.complaints(field, port, portName(port));
}
