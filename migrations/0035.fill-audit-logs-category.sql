-- transactional: false
-- ddl: mariadb: one transaction over all entries, which are locked until it ends
-- ddl: mysql: one transaction over all entries, which are locked until it ends
UPDATE audit_logs AS a
SET
    a.category = CASE
        WHEN a.action IN (
            'user.authenticate',
            'user.issue_email_verification',
            'user.issue_password_reset',
            'user.reset_password',
            'user.unlock',
            'user.update_password',
            'user.verify_email'
        ) THEN 'authentication'
        WHEN a.action IN (
            'conversation.add_participant',
            'conversation.change_role',
            'conversation.create_share',
            'conversation.extend_share',
            'conversation.leave',
            'conversation.remove_participant',
            'conversation.revoke_own_shares',
            'conversation.revoke_share',
            'conversation.revoke_shares',
            'conversation.transfer',
            'user.activate',
            'user.change_role',
            'user.create',
            'user.deactivate',
            'user.restore',
            'user.soft_delete'
        ) THEN 'access'
        WHEN a.action IN (
            'conversation.open_share'
        ) THEN 'disclosure'
        WHEN a.action IN (
            'conversation.archive_idle',
            'conversation.purge_deleted',
            'conversation.purge_shares',
            'conversation.recompute',
            'prompt.requeue_expired',
            'template.purge_deleted',
            'template.refresh_search_statistics',
            'usage.rebuild_day',
            'usage.recalculate'
        ) THEN 'maintenance'
        ELSE 'data'
    END,
    a.severity = CASE
        WHEN a.outcome = 'denied' AND a.action IN (
            'conversation.add_participant',
            'conversation.change_role',
            'conversation.create_share',
            'conversation.extend_share',
            'conversation.leave',
            'conversation.remove_participant',
            'conversation.revoke_own_shares',
            'conversation.revoke_share',
            'conversation.revoke_shares',
            'conversation.transfer',
            'user.activate',
            'user.authenticate',
            'user.change_role',
            'user.create',
            'user.deactivate',
            'user.issue_email_verification',
            'user.issue_password_reset',
            'user.reset_password',
            'user.restore',
            'user.soft_delete',
            'user.unlock',
            'user.update_password',
            'user.verify_email'
        ) THEN 'high'
        WHEN a.action IN (
            'user.change_role',
            'user.soft_delete'
        ) THEN 'high'
        WHEN a.action IN (
            'conversation.add_participant',
            'conversation.change_role',
            'conversation.create_share',
            'conversation.extend_share',
            'conversation.purge',
            'conversation.purge_deleted',
            'conversation.remove_participant',
            'conversation.soft_delete',
            'conversation.transfer',
            'model_price.create',
            'prompt.soft_delete',
            'prompt.soft_delete_after',
            'prompt.soft_delete_subtree',
            'template.delete_version',
            'template.purge',
            'template.purge_deleted',
            'template.soft_delete',
            'usage.rebuild_day',
            'usage.recalculate',
            'user.activate',
            'user.create',
            'user.deactivate',
            'user.issue_password_reset',
            'user.reset_password',
            'user.restore',
            'user.unlock',
            'user.update_details',
            'user.update_password'
        ) THEN 'medium'
        WHEN a.outcome <> 'success' THEN 'medium'
        ELSE 'low'
    END;
