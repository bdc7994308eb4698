/** How the queues of scripts are set: in small, so that time passes in seconds. */
export const VISIBILITY_SECONDS = 3;
/** As of the installation: dead letters after so many receives. */
export { MAX_RECEIVES } from '../../shared/ports/queue.ts';
