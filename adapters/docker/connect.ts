/** Finds the Docker engine that the environment names (`DOCKER_HOST`), or else the usual socket. */
import Dockerode from 'dockerode';
import { engineCall, messageOf } from './engine.ts';

/** Starting Nullplane must not hang on an engine that does. */
const ANSWER_TIMEOUT_MS = 1_000;

/** Answers within a second; undefined when no engine does, after telling why. */
export async function connectDocker(
  why: (reason: string) => void = () => undefined,
): Promise<Dockerode | undefined> {
  try {
    const docker = new Dockerode();
    await engineCall('ping', () => docker.ping(), ANSWER_TIMEOUT_MS);
    return docker;
  } catch (error) {
    why(messageOf(error));
    return undefined;
  }
}
