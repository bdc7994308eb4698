/** What an installation tells the runtime: everything here is the operator's, nothing a user's. */
export interface EcsSettings {
  /** The name that everything of the installation starts with. */
  readonly installation: string;
  readonly cluster: string;
  readonly region: string;
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  /** For tasks on Fargate; tasks on instances never have a public address. */
  readonly assignPublicIp: boolean;
  /** What ECS itself acts as: pulls, logs, values of the vault. */
  readonly executionRoleArn: string;
  /** What containers act as; without one they have no rights. */
  readonly taskRoleArn?: string;
  readonly logGroup: string;
  /**
   * An image with a POSIX shell, `base64`, `gunzip`, `wget` and `nc`, such as busybox; and, for
   * gRPC probes, `grpc_health_probe`.
   */
  readonly filesImage: string;
}
