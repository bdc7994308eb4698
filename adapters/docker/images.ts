/**
 * Gets images onto the engine, as a pull policy says, and checks what a spec demands of them. Owns
 * nothing that lasts: pulls of one image that overlap are one pull.
 */
import type { ContainerSpec, WaitingReason } from '../../shared/api/task.ts';
import { engineCall, EngineRefused, ifPresent, isRefusal, messageOf } from './engine.ts';
import type { Engine } from './engine.ts';

/** Large images over a slow line take long; beyond this the pull is given up and tried again. */
const PULL_TIMEOUT_MS = 30 * 60_000;

/** What the engine answers where it fails before it has begun to answer. */
const PULL_FAILED_STATUS = 500;

/** Why a container can't be created now, in the words of its waiting state. */
export class CannotCreate extends Error {
  override readonly name = 'CannotCreate';
  readonly reason: WaitingReason;
  constructor(reason: WaitingReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export class Images {
  readonly #engine: Engine;
  readonly #pulls = new Map<string, Promise<void>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The image is there, and fit for the container; or throws `CannotCreate`. */
  async ensure(container: ContainerSpec): Promise<void> {
    const { image, imagePullPolicy } = container;
    let user = await this.#userOf(image);
    if (user === undefined && imagePullPolicy === 'Never') {
      const why = `Container image "${image}" is not present with pull policy of Never`;
      throw new CannotCreate('ErrImagePull', why);
    }
    if (user === undefined || imagePullPolicy === 'Always') {
      await this.#pull(image);
      user = await this.#userOf(image);
    }
    if (container.runAsNonRoot) checkNonRoot(container.user ?? user ?? '', container.user);
  }

  /** The user that the image names, '' for none; undefined when the image is absent. */
  async #userOf(image: string): Promise<string | undefined> {
    const inspect = (): Promise<{ Config?: { User?: string } | null }> =>
      this.#engine.docker.getImage(image).inspect();
    try {
      const info = await ifPresent('inspect image', inspect);
      return info && (info.Config?.User ?? '');
    } catch (error) {
      throw imageError(image, error);
    }
  }

  async #pull(image: string): Promise<void> {
    const running = this.#pulls.get(image);
    if (running) return running;
    const pull = this.#pullOnce(image).finally(() => this.#pulls.delete(image));
    this.#pulls.set(image, pull);
    return pull;
  }

  async #pullOnce(image: string): Promise<void> {
    try {
      // The engine takes a name without a tag for all of its tags.
      await engineCall('pull', () => this.#followPull(withTag(image)), PULL_TIMEOUT_MS);
    } catch (error) {
      throw imageError(image, error);
    }
  }

  async #followPull(reference: string): Promise<void> {
    const { docker } = this.#engine;
    const progress = await docker.pull(reference);
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(progress, (error, lines: { error?: string }[]) => {
        const failure = error ?? lines.find((line) => line.error !== undefined)?.error;
        if (failure === undefined || failure === null) resolve();
        // The engine said so, if after it had begun to answer: not an outage of the engine.
        else reject(new EngineRefused(PULL_FAILED_STATUS, messageOf(failure)));
      });
    });
  }
}

function imageError(image: string, error: unknown): Error {
  if (isRefusal(error, 400)) {
    const why = `Failed to apply default image tag "${image}": ${error.message}`;
    return new CannotCreate('InvalidImageName', why);
  }
  if (isRefusal(error)) {
    return new CannotCreate('ErrImagePull', error.message);
  }
  return error instanceof Error ? error : new Error(String(error));
}

function checkNonRoot(user: string, asked: string | undefined): void {
  const name = user.split(':')[0] ?? '';
  const refuse = (why: string): never => {
    throw new CannotCreate('CreateContainerConfigError', why);
  };
  if (name === '' || name === 'root') {
    refuse('container has runAsNonRoot and image will run as root');
  }
  if (/^0+$/.test(name)) {
    refuse(
      asked === undefined
        ? 'container has runAsNonRoot and image will run as root'
        : "container's runAsUser breaks non-root policy",
    );
  }
  if (!/^\d+$/.test(name)) {
    refuse(
      `container has runAsNonRoot and image has non-numeric user (${name}), ` +
        'cannot verify user is non-root',
    );
  }
}

function withTag(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1);
  return last.includes(':') || last.includes('@') ? image : `${image}:latest`;
}
