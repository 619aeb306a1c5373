# PostgreSQL. Encrypted connections are mandatory; the time-outs of statements are set by the program for each connection.

resource "aws_db_subnet_group" "this" {
  name_prefix = "${local.name}-"
  subnet_ids  = aws_subnet.private[*].id
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${local.name}-"
  family      = "postgres16"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # Deadlocks are resolved by one of two writers; the default is a second.
  parameter {
    name  = "deadlock_timeout"
    value = "200"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  identifier_prefix           = "${local.name}-"
  engine                      = "postgres"
  engine_version              = "16"
  auto_minor_version_upgrade  = true
  allow_major_version_upgrade = false
  instance_class              = var.database.class
  db_name                     = "rapidphoto"
  username                    = "rapidphoto"
  password                    = data.aws_secretsmanager_random_password.this["database"].random_password
  db_subnet_group_name        = aws_db_subnet_group.this.name
  parameter_group_name        = aws_db_parameter_group.this.name
  vpc_security_group_ids      = [aws_security_group.data.id]
  multi_az                    = var.database.multi_az

  storage_type          = "gp3"
  storage_encrypted     = true
  allocated_storage     = var.database.storage_gb
  max_allocated_storage = var.database.storage_gb * 10

  backup_retention_period         = 14
  copy_tags_to_snapshot           = true
  deletion_protection             = true
  skip_final_snapshot             = false
  final_snapshot_identifier       = "${local.name}-final"
  performance_insights_enabled    = true
  enabled_cloudwatch_logs_exports = ["postgresql"]

  lifecycle {
    ignore_changes = [password]
  }
}
