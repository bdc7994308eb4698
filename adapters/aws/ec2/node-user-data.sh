# A node's labels and taints stand in its instance's tags (nullplane-attribute-0, -1 ..., each
# name=value); the ECS agent brings them to the cluster as attributes, from its first moment on.
# Reads: IMDS (its address), ECS_CONFIG (the file of the agent's settings).
imds=${IMDS:-http://169.254.169.254}
config=${ECS_CONFIG:-/etc/ecs/ecs.config}
token=$(curl -sf --retry 10 --retry-connrefused --retry-delay 1 -X PUT \
  -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$imds/latest/api/token")
json=
i=0
while [ "$i" -lt 40 ]; do
  pair=$(curl -sf --retry 3 -H "X-aws-ec2-metadata-token: $token" \
    "$imds/latest/meta-data/tags/instance/nullplane-attribute-$i") || break
  json="$json${json:+,}\"${pair%%=*}\":\"${pair#*=}\""
  i=$((i + 1))
done
# Where the scheduler hands out GPUs, Docker's default runtime has to give containers those that
# NVIDIA_VISIBLE_DEVICES names: ECS does not, for containers whose GPUs it does not count.
case "$json" in
  *'"nullplane.io/gpu-sharing":"assigned"'*)
    if nvidia-ctk runtime configure --runtime=docker --set-as-default >/dev/null; then
      systemctl try-restart docker
    fi
    ;;
esac
if [ -n "$json" ]; then echo "ECS_INSTANCE_ATTRIBUTES={$json}" >> "$config"; fi
