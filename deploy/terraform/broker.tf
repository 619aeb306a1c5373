# RabbitMQ, if wanted.

resource "aws_mq_broker" "this" {
  count                      = var.broker.enabled ? 1 : 0
  broker_name                = local.name
  engine_type                = "RabbitMQ"
  engine_version             = "3.13"
  host_instance_type         = var.broker.class
  deployment_mode            = "CLUSTER_MULTI_AZ"
  auto_minor_version_upgrade = true
  publicly_accessible        = false
  subnet_ids                 = aws_subnet.private[*].id
  security_groups            = [aws_security_group.data.id]

  user {
    username = "rapidphoto"
    password = data.aws_secretsmanager_random_password.this["broker"].random_password
  }

  lifecycle {
    ignore_changes = [user]
  }
}
