-- The proposal system as its ORM migrated it, column by column: text keys, foreign keys, enumerations, and what was
-- added whenever somebody filtered by one more column.

CREATE TYPE proposal_status AS ENUM (
    'DRAFT', 'IN_REVIEW', 'PENDING_APPROVAL', 'APPROVED', 'REJECTED', 'SUBMITTED', 'ACCEPTED', 'DECLINED'
);
CREATE TYPE severity AS ENUM ('INFO', 'WARNING', 'ERROR', 'CRITICAL');
CREATE TYPE content_type AS ENUM ('TEXT', 'TEMPLATE', 'IMAGE', 'DOCUMENT', 'MEDIA');

CREATE TABLE users (
    id         text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    email      text NOT NULL UNIQUE,
    name       text NOT NULL,
    department text NOT NULL,
    created_at timestamptz(3) NOT NULL
);
CREATE INDEX users_email_idx ON users (email);
CREATE INDEX users_department_idx ON users (department);

CREATE TABLE customers (
    id         text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    name       text NOT NULL,
    email      text,
    industry   text,
    tier       text NOT NULL,
    revenue    numeric(14, 2),
    created_at timestamptz(3) NOT NULL
);
CREATE INDEX customers_name_idx ON customers (name);
CREATE INDEX customers_email_idx ON customers (email);
CREATE INDEX customers_industry_idx ON customers (industry);
CREATE INDEX customers_tier_idx ON customers (tier);
CREATE INDEX customers_created_at_idx ON customers (created_at);

CREATE TABLE products (
    id         text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    sku        text NOT NULL UNIQUE,
    name       text NOT NULL,
    category   text NOT NULL,
    price      numeric(12, 2) NOT NULL,
    is_active  boolean NOT NULL DEFAULT true,
    attributes jsonb
);
CREATE INDEX products_sku_idx ON products (sku);
CREATE INDEX products_name_idx ON products (name);
CREATE INDEX products_category_idx ON products (category);
CREATE INDEX products_is_active_idx ON products (is_active);
CREATE INDEX products_price_idx ON products (price);

CREATE TABLE proposals (
    id          text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    title       text NOT NULL,
    customer_id text NOT NULL REFERENCES customers (id),
    created_by  text NOT NULL REFERENCES users (id),
    status      proposal_status NOT NULL DEFAULT 'DRAFT',
    priority    text NOT NULL,
    value       numeric(14, 2),
    currency    text NOT NULL,
    due_date    timestamptz(3),
    approved_at timestamptz(3),
    tags        text[] NOT NULL DEFAULT '{}',
    created_at  timestamptz(3) NOT NULL,
    updated_at  timestamptz(3) NOT NULL
);
CREATE INDEX proposals_title_idx ON proposals (title);
CREATE INDEX proposals_customer_id_idx ON proposals (customer_id);
CREATE INDEX proposals_created_by_idx ON proposals (created_by);
CREATE INDEX proposals_status_idx ON proposals (status);
CREATE INDEX proposals_priority_idx ON proposals (priority);
CREATE INDEX proposals_value_idx ON proposals (value);
CREATE INDEX proposals_due_date_idx ON proposals (due_date);
CREATE INDEX proposals_approved_at_idx ON proposals (approved_at);
CREATE INDEX proposals_created_at_idx ON proposals (created_at);
CREATE INDEX proposals_updated_at_idx ON proposals (updated_at);
CREATE INDEX idx_proposals_customer ON proposals (customer_id);

CREATE TABLE proposal_products (
    id          text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    proposal_id text NOT NULL REFERENCES proposals (id),
    product_id  text NOT NULL REFERENCES products (id),
    quantity    integer NOT NULL,
    unit_price  numeric(12, 2) NOT NULL,
    discount    numeric(5, 2),
    created_at  timestamptz(3) NOT NULL
);
CREATE INDEX proposal_products_proposal_id_idx ON proposal_products (proposal_id);
CREATE INDEX proposal_products_product_id_idx ON proposal_products (product_id);
CREATE INDEX proposal_products_created_at_idx ON proposal_products (created_at);

CREATE TABLE proposal_sections (
    id          text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    proposal_id text NOT NULL REFERENCES proposals (id),
    title       text NOT NULL,
    content     text NOT NULL,
    "order"     integer NOT NULL,
    type        text NOT NULL,
    updated_at  timestamptz(3) NOT NULL
);
CREATE INDEX proposal_sections_proposal_id_idx ON proposal_sections (proposal_id);
CREATE INDEX proposal_sections_type_idx ON proposal_sections (type);
CREATE INDEX proposal_sections_order_idx ON proposal_sections ("order");

CREATE TABLE content (
    id          text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    title       text NOT NULL,
    type        content_type NOT NULL,
    category    text,
    body        text NOT NULL,
    tags        text[] NOT NULL DEFAULT '{}',
    is_active   boolean NOT NULL DEFAULT true,
    usage_count integer NOT NULL DEFAULT 0,
    created_by  text NOT NULL REFERENCES users (id),
    created_at  timestamptz(3) NOT NULL
);
CREATE INDEX content_title_idx ON content (title);
CREATE INDEX content_type_idx ON content (type);
CREATE INDEX content_category_idx ON content (category);
CREATE INDEX content_is_active_idx ON content (is_active);
CREATE INDEX content_usage_count_idx ON content (usage_count);
CREATE INDEX content_created_by_idx ON content (created_by);
CREATE INDEX content_created_at_idx ON content (created_at);

CREATE TABLE approval_executions (
    id            text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    workflow_id   text NOT NULL,
    proposal_id   text NOT NULL REFERENCES proposals (id),
    current_stage integer NOT NULL,
    status        text NOT NULL,
    approver_id   text REFERENCES users (id),
    started_at    timestamptz(3) NOT NULL,
    completed_at  timestamptz(3)
);
CREATE INDEX approval_executions_workflow_id_idx ON approval_executions (workflow_id);
CREATE INDEX approval_executions_proposal_id_idx ON approval_executions (proposal_id);
CREATE INDEX approval_executions_status_idx ON approval_executions (status);
CREATE INDEX approval_executions_approver_id_idx ON approval_executions (approver_id);
CREATE INDEX approval_executions_started_at_idx ON approval_executions (started_at);
CREATE INDEX approval_executions_completed_at_idx ON approval_executions (completed_at);

CREATE TABLE validation_issues (
    id          text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    entity_id   text NOT NULL,
    entity_type text NOT NULL,
    rule_id     text NOT NULL,
    severity    severity NOT NULL,
    status      text NOT NULL,
    message     text NOT NULL,
    detected_at timestamptz(3) NOT NULL,
    resolved_at timestamptz(3)
);
CREATE INDEX validation_issues_entity_id_idx ON validation_issues (entity_id);
CREATE INDEX validation_issues_entity_type_idx ON validation_issues (entity_type);
CREATE INDEX validation_issues_rule_id_idx ON validation_issues (rule_id);
CREATE INDEX validation_issues_severity_idx ON validation_issues (severity);
CREATE INDEX validation_issues_status_idx ON validation_issues (status);
CREATE INDEX validation_issues_detected_at_idx ON validation_issues (detected_at);

CREATE TABLE hypothesis_validation_events (
    id                      text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    user_id                 text NOT NULL REFERENCES users (id),
    hypothesis              text NOT NULL,
    component_id            text,
    action                  text NOT NULL,
    target_value            numeric(10, 2) NOT NULL,
    actual_value            numeric(10, 2),
    performance_improvement numeric(10, 2),
    "timestamp"             timestamptz(3) NOT NULL
);
CREATE INDEX hypothesis_validation_events_user_id_idx ON hypothesis_validation_events (user_id);
CREATE INDEX hypothesis_validation_events_hypothesis_idx ON hypothesis_validation_events (hypothesis);
CREATE INDEX hypothesis_validation_events_component_id_idx ON hypothesis_validation_events (component_id);
CREATE INDEX hypothesis_validation_events_action_idx ON hypothesis_validation_events (action);
CREATE INDEX hypothesis_validation_events_timestamp_idx ON hypothesis_validation_events ("timestamp");

CREATE TABLE performance_baselines (
    id              text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    hypothesis      text NOT NULL,
    metric_name     text NOT NULL,
    baseline_value  numeric(10, 2) NOT NULL,
    sample_size     integer NOT NULL,
    collection_date timestamptz(3) NOT NULL
);
CREATE INDEX performance_baselines_hypothesis_idx ON performance_baselines (hypothesis);
CREATE INDEX performance_baselines_metric_name_idx ON performance_baselines (metric_name);
CREATE INDEX performance_baselines_collection_date_idx ON performance_baselines (collection_date);

CREATE TABLE audit_logs (
    id          text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    user_id     text,
    action      text NOT NULL,
    entity      text NOT NULL,
    entity_id   text NOT NULL,
    severity    severity NOT NULL DEFAULT 'INFO',
    success     boolean NOT NULL DEFAULT true,
    changes     jsonb,
    "timestamp" timestamptz(3) NOT NULL
);
CREATE INDEX audit_logs_user_id_idx ON audit_logs (user_id);
CREATE INDEX audit_logs_action_idx ON audit_logs (action);
CREATE INDEX audit_logs_entity_idx ON audit_logs (entity);
CREATE INDEX audit_logs_severity_idx ON audit_logs (severity);
CREATE INDEX audit_logs_success_idx ON audit_logs (success);
CREATE INDEX audit_logs_timestamp_idx ON audit_logs ("timestamp");
