DROP INDEX photo_details_content;
